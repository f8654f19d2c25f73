"""How much chance changes a small training: the demo's cDDPM ENS by seed and instruction set.

    PYTHONPATH=scripts python bench/spread.py DEMO

DEMO is the working directory of a finished `make demo`; its slices and splits are read, and nothing
in it is changed. The model of each modality is trained with three seeds, and with the first seed
again on plainer vector instructions, which round differently. Prints Dice and AUPRC in %.
"""

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
from sizes import size_of

SEEDS = (1, 2, 3)
# The instructions that torch and oneDNN may use. "plainer" is AVX2 on a CPU with AVX-512.
INSTRUCTIONS = {
    "the CPU's": {},
    "plainer": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
}
ON_AVX2 = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "AVX"}
MODEL, DATASETS = "cddpm", {"brats21": "t2", "mslub": "t2", "atlas": "t1", "wmh": "t1"}
METRICS = ["dice", "auprc"]


def main() -> None:
    demo = Path(sys.argv[1]).resolve()
    runs = [(seed, "the CPU's") for seed in SEEDS] + [(SEEDS[0], "plainer")]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = list(product(runs, sorted(set(DATASETS.values()))))
        tables = pool.map(lambda job: in_own_process(demo, Path(folder), *job[0], job[1]), jobs)
        scores = pd.concat(tables, ignore_index=True)
    wide = scores.pivot_table(
        index=["dataset", "metric"], columns=["instructions", "seed"], values="value", sort=False
    )
    print((100 * wide).round(1).to_string())
    seeds = 100 * wide["the CPU's"]
    print(f"\nby seed: {largest(seeds.max(axis=1) - seeds.min(axis=1))}")
    same_seed = wide.xs(SEEDS[0], axis=1, level="seed")
    moved = 100 * (same_seed["plainer"] - same_seed["the CPU's"]).abs()
    print(f"by instruction set, same seed: {largest(moved)}")


def largest(spread: pd.Series) -> str:
    """The largest spread of each metric, in points, with its data set."""
    by_metric = spread.groupby(level="metric")
    return ", ".join(
        f"{metric} up to {values.max():.1f} points ({values.idxmax()[0]})"
        for metric, values in by_metric
    )


def in_own_process(
    demo: Path, folder: Path, seed: int, instructions: str, modality: str
) -> pd.DataFrame:
    """Scores of one training, in a process: torch chooses its instructions when it is imported."""
    target = folder / f"{seed}_{instructions}_{modality}.tsv".replace(" ", "_")
    limits = INSTRUCTIONS[instructions]
    if limits and not has_avx512():
        limits = ON_AVX2
    given = {"demo": str(demo), "folder": str(folder), "seed": seed, "modality": modality}
    subprocess.run(
        [sys.executable, __file__, "--one", json.dumps(given | {"target": str(target)})],
        env=os.environ | limits,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return pd.read_csv(target, sep="\t").assign(seed=seed, instructions=instructions)


def has_avx512() -> bool:
    return "avx512f" in Path("/proc/cpuinfo").read_text(encoding="utf-8")


def one(*, demo: str, folder: str, seed: int, modality: str, target: str) -> None:
    """Train, reconstruct and score by the rules' scripts; write dataset, metric, value."""
    import map_anomalies
    import reconstruct
    import score_segmentation
    import train_model
    from brainuad.io.seeds import derive_seed

    config = size_of("demo").config
    block, results = config["models"][MODEL], Path(demo) / "results"
    work = Path(f"{target}.work")
    cpu = {"name": "cpu", "precision": "fp32", "compile": False, "deterministic": True}
    train_model.main(
        slices=results / "slices" / f"ixi_{modality}.npz",
        split=results / "splits" / "ixi" / "fold0.tsv",
        pretrained=None,
        weights=work / "weights.pt",
        history=work / "history.tsv",
        machines=work / "machines.tsv",
        kind=block["kind"],
        settings=block["settings"],
        training=block["training"],
        seed=derive_seed(seed, modality, 0),
        device=cpu,
        checkpoint_minutes=60.0,
        threads=1,
        code="",
    )
    rows = []
    for dataset in [name for name, its in DATASETS.items() if its == modality]:
        common: dict[str, Any] = {
            "slices": results / "slices" / f"{dataset}_{modality}.npz",
            "split": results / "splits" / dataset / "fold0.tsv",
        }
        reconstructions = work / f"{dataset}.npz"
        reconstruct.main(
            **common,
            weights=work / "weights.pt",
            output=reconstructions,
            partitions=["validation", "test"],
            timesteps=config["methods"][f"{MODEL}_ens"]["timesteps"],
            seed=seed,
            device=cpu,
            threads=1,
        )
        postprocessing = config["evaluation"]["postprocessing"]
        maps = work / f"{dataset}_maps.npz"
        map_anomalies.main(
            **common,
            reconstructions=reconstructions,
            output=maps,
            score={"kind": "absolute"},
            partitions=["validation", "test"],
            postprocessing=postprocessing,
        )
        common |= {"anomaly_maps": maps}
        scores = work / f"{dataset}.tsv"
        score_segmentation.main(
            **common,
            threshold=work / f"{dataset}.json",
            # Its result is not used.
            healthy_threshold=results / f"healthy_residuals/{MODEL}_ens/fold0/ixi_{modality}.json",
            fits=True,
            scores=scores,
            lesions=work / f"{dataset}_lesions.tsv",
            froc=work / f"{dataset}_froc.tsv",
            postprocessing=postprocessing,
            modality=modality,
        )
        means = pd.read_csv(scores, sep="\t").groupby("metric")["value"].mean()
        rows += [(dataset, metric, means[metric]) for metric in METRICS]
    pd.DataFrame(rows, columns=["dataset", "metric", "value"]).to_csv(target, sep="\t", index=False)


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        one(**json.loads(sys.argv[2]))
    else:
        main()
