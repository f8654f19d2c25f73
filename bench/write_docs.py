"""Write docs/benchmarks.md from bench/results.tsv, the table of the last `make bench`.

    python bench/write_docs.py

A section of the page stays as it is where the table has no row of its device.
"""

import re

import pandas as pd
from measuring import PROJECT, RESULTS

PAGE = PROJECT / "docs" / "benchmarks.md"

HEADER = """# Benchmarks

`make bench` measures, on the machine at hand, what costs time, each part beside a plain reference
in the same run; `python bench/write_docs.py` puts its table here. Machines differ, and many are
shared: read the ratios. Above 1 is better than the reference: more per second, fewer seconds, less
error.

- Times are the best of some runs. Memory is the most that a process held which did nothing else, or
  for a part on a GPU what it held there; the reference is not in it.
- A training is a real one on random volumes, with the config's settings, stopped by SIGTERM after
  some steps. Its network's rate counts convolutions and matrix products, forward and backward, and
  is compared with the fastest such work of the device: 3x3 convolutions in the same memory format
  and with as many threads, or on a GPU bf16 matrix products. MONAI's U-Net has no encoder, no
  augmentation and no loop around it.
- Scoring is of volumes of 50x96x96 voxels, on one thread.
- Preprocessing is processor time of one thread for one scan, without the imports that a job needs
  once for all its scans. HD-BET is not in it: its weights have to be downloaded.
- Snakemake's share of a job is what it takes beyond its script's process: choosing it, starting its
  environment (of the stand-in for conda where there is no conda), checking what it made.
"""
SECTIONS = {"cpu": "## On a processor", "cuda": "## On a GPU"}
NOTHING_YET = "\nNone was at hand yet.\n"
COLUMNS = ("what", "measured", "memory (MiB)", "reference", "its", "ratio", "goal")


def document(results: pd.DataFrame, page: str) -> str:
    """The page with the sections of the devices in the results, and its old ones of the others."""
    parts = [HEADER]
    for device, title in SECTIONS.items():
        rows = results[results["device"] == device]
        if len(rows):
            text = section(rows.fillna("").to_dict("records"))
        else:
            old = re.search(rf"^{title}\n(.*?)(?=^## |\Z)", page, flags=re.DOTALL | re.MULTILINE)
            text = old[1].rstrip() + "\n" if old else NOTHING_YET
        parts.append(f"\n{title}\n{text}")
    return "".join(parts)


def section(rows: list[dict[str, str]]) -> str:
    """Machine, date and table of one device."""
    lines = [f"\n{rows[0]['machine']}. {rows[0]['date']}.\n", line_of(COLUMNS)]
    lines.append("|---|---:|---:|---|---:|---:|---|")
    for row in rows:
        goal = f"{row['goal']}: {row['met']}" if row["goal"] else ""
        theirs = f"{row['reference_value']} {row['unit']}" if row["reference"] else ""
        lines.append(
            line_of(
                (
                    row["what"],
                    f"{row['value']} {row['unit']}",
                    row["peak_memory_mib"],
                    row["reference"],
                    theirs,
                    row["ratio"],
                    goal,
                )
            )
        )
    return "\n".join(lines) + "\n"


def line_of(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    # As text: the figures are rounded.
    table = pd.read_csv(RESULTS, sep="\t", dtype=str)
    earlier = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    PAGE.write_text(document(table, earlier), encoding="utf-8")
