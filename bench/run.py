"""Measure the costly parts on a CPU, each compared with a plain reference in the same run.

    PYTHONPATH=scripts python bench/run.py [MODULE ...]

`make bench` runs this. It prints a table and writes it to bench/results.tsv, from which
write_docs.py makes a section of docs/reference/benchmarks.md. `run.py training` measures that
module alone, and writes a table too. bench/on_gpu.sh measures a GPU.
"""

import sys
import time
from datetime import date

import pandas as pd
from measuring import RESULTS, in_own_process

# (module, function, arguments) of each part.
PARTS = [
    *(("training", "measured", {"size": size}) for size in ("paper", "demo")),
    ("denormals", "measured", {}),
    *(("reconstruction", "measured", {"size": size}) for size in ("paper", "demo")),
    *(
        ("later_kinds", "measured", {"size": size, "kind": kind})
        for size in ("paper", "demo")
        for kind in ("disyre", "itermask", "fae")
    ),
    ("cohort", "reconstructed", {}),
    ("noise_and_augmentation", "noise", {}),
    ("noise_and_augmentation", "augmentation", {}),
    *(
        ("evaluation", function, {})
        for function in (
            "median_filter",
            "anomaly_map",
            "average_precision",
            "threshold_search",
            "ssim_and_psnr",
            "ssim_ensemble",
            "mahalanobis",
            "normative",
            "all_scores",
        )
    ),
    ("preprocessing", "measured", {}),
    ("registration", "rows", {}),
    ("workflow", "measured", {}),
]


def main() -> None:
    modules = list(dict.fromkeys(module for module, _, _ in PARTS))
    wanted = sys.argv[1:] or modules
    if unknown := [name for name in wanted if name not in modules]:
        sys.exit(f"no such module: {', '.join(unknown)}; there are {', '.join(modules)}")
    machine = in_own_process("machine", "described")["cpu"]
    print(machine, flush=True)
    place = {"device": "cpu", "machine": machine, "date": date.today().isoformat()}
    started = time.monotonic()
    rows = []
    for module, function, arguments in PARTS:
        if module not in wanted:
            continue
        for record in in_own_process(module, function, **arguments):
            rows.append(place | record)
            print(f"{time.monotonic() - started:5.0f} s  {in_words(record)}", flush=True)
    table = pd.DataFrame(rows)
    for column in table.select_dtypes("number"):
        table[column] = table[column].map("{:.4g}".format, na_action="ignore")
    table.to_csv(RESULTS, sep="\t", index=False)
    print()
    print(table.drop(columns=["machine", "date"]).fillna("").to_string(index=False))
    if (missed := table["met"] == "no").any():
        print(f"\ngoals missed: {'; '.join(table['what'][missed])}")


def in_words(record: dict) -> str:
    text = f"{record['what']}: {record['value']:.4g} {record['unit']}"
    if record["reference"]:
        text += f", {record['ratio']:.3g} times {record['reference']}"
    return text


if __name__ == "__main__":
    main()
