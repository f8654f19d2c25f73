"""Time from a raw scan to its maps on this CPU, by a bundle with networks of the paper's size.

    PYTHONPATH=scripts python bench/minutes_per_scan.py FOLDER

FOLDER is a new working directory; the scans are those of real_scans.py. The networks train for two
steps only, which does not change their cost. Needs Snakemake and conda on the PATH, and a machine
without other load.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from real_scans import PROJECT, apply, costs, run, study, write_config

import make_template

HEALTHY = 6
METHOD = "cddpm_ens_z"


def paper_size(scans: Path) -> dict[str, Any]:
    """The study of real_scans.py with the paper's preprocessing and networks, two steps long."""
    paper = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text(encoding="utf-8"))
    config = study(scans)
    config["datasets"]["healthy"] |= {"validation": 3, "test": 1}
    config["preprocessing"] = {**paper["preprocessing"], "scans_per_job": 1}
    model = paper["models"]["cddpm"]
    validation = model["training"]["validation"] | {"slices_per_volume": 1}
    brief = {"steps": 2, "batch_size": 2, "validation": validation}
    config["models"] = {"cddpm": {**model, "training": model["training"] | brief}}
    config["evaluation"]["methods"] = [METHOD]
    config["evaluation"]["postprocessing"] = paper["evaluation"]["postprocessing"]
    return config


def main() -> None:
    folder = Path(sys.argv[1])
    real = Path(os.environ["BRAINUAD_REAL_SCANS"]).resolve()
    scans = folder / "scans"
    scans.mkdir(parents=True)
    for name in ("ms_raw", "ms_stripped"):
        (scans / name).symlink_to(real / name)
    (scans / "healthy_t1").mkdir()
    healthy = sorted((real / "healthy_t1").glob("sub-*"))[:HEALTHY]
    for file in (*healthy, *(real / "healthy_t1").glob("*.*")):
        (scans / "healthy_t1" / file.name).symlink_to(file)
    config = paper_size(scans)
    write_config(folder / "study", config)
    parts = {part: folder / "study" / f"{part}.nii.gz" for part in ("head", "brain", "brain_mask")}
    make_template.main(**parts, spacing=config["preprocessing"]["spacing"])
    run(folder / "study", f"results/bundles/{METHOD}_t1")
    patients = {name: config["datasets"][name] for name in ("ms_raw", "ms_stripped")}
    began = time.perf_counter()
    apply(folder / "apply", folder / "study", METHOD, patients)
    print(f"\n{time.perf_counter() - began:.0f} s in all; CPU seconds and peak memory (MB)")
    print(costs(folder / "apply").to_string())


if __name__ == "__main__":
    main()
