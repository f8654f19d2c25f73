"""Measure what costs time, each beside a plain reference in the same run: `make bench`.

    PYTHONPATH=scripts python bench/run.py [part or device ...]

Prints a table and writes it to bench/results.tsv; write_docs.py makes docs/benchmarks.md of it. On
a machine with a GPU what runs there is measured too. `run.py training` is that part alone, on every
device, `run.py cuda` all that runs on the GPU; such a table is written all the same.
"""

import sys
import time
from datetime import date

import pandas as pd
from measuring import RESULTS, in_own_process

# (module, function, arguments) of what is measured on the processor alone.
ON_PROCESSOR = [
    *(
        ("evaluation", function, {})
        for function in (
            "median_filter",
            "anomaly_map",
            "average_precision",
            "threshold_search",
            "ssim_and_psnr",
            "all_scores",
        )
    ),
    ("preprocessing", "measured", {}),
    ("registration", "rows", {}),
    ("workflow", "measured", {}),
]


def parts(device: str) -> list[tuple[str, str, dict]]:
    """What is measured on a device: networks and noise on each, the rest on the processor."""
    on_each = [
        *(("training", "measured", {"size": size}) for size in ("paper", "demo")),
        *(("reconstruction", "measured", {"size": size}) for size in ("paper", "demo")),
        ("noise_and_augmentation", "noise", {}),
        ("noise_and_augmentation", "augmentation", {}),
    ]
    on_each = [
        (module, function, arguments | {"device": device})
        for module, function, arguments in on_each
    ]
    if device == "cpu":
        return on_each + ON_PROCESSOR
    return [*on_each, ("evaluation", "anomaly_map_on_gpu", {"device": device})]


def main() -> None:
    wanted = set(sys.argv[1:])
    started = time.monotonic()
    rows = []
    for device, machine in in_own_process("machine", "described").items():
        print(f"{device}: {machine}", flush=True)
        place = {"device": device, "machine": machine, "date": date.today().isoformat()}
        for module, function, arguments in parts(device):
            if wanted and not wanted & {module, device}:
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
