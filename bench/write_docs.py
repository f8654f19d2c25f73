"""Write docs/reference/benchmarks.md from the tables of `make bench` and of bench/on_gpu.sh.

    python bench/write_docs.py [TABLE ...]

Without a table it reads bench/results.tsv, if it exists. A section of the page is kept if no table
has rows for its device. Losses on CPU and GPU, which bench/on_gpu.sh writes next to its table as
curve_*.tsv, are drawn to docs/images/gpu_losses.svg.
"""

import re
import sys
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from measuring import PROJECT, RESULTS

PAGE = PROJECT / "docs" / "reference" / "benchmarks.md"
IMAGE = PROJECT / "docs" / "images" / "gpu_losses.svg"

HEADER = """# Benchmarks

`make bench` measures the costly parts on the CPU at hand, each compared with a plain reference in
the same run, and writes its table here. Machines differ, and many are shared, so compare ratios.
A ratio above 1 is better than the reference: more per second, fewer seconds, or a smaller error.

- Times are the best of several runs. Memory is the peak of a process that did nothing else, without
  the reference.
- A training is a real one on random volumes, with the config's settings, stopped by SIGTERM after
  some steps. The rate of its network counts convolutions and matrix products, forward and backward,
  and is compared with the CPU's measured peak: 3x3 convolutions in the same memory format, with as
  many threads. MONAI's U-Net has no encoder, no augmentation and no training loop around it.
- Denormal numbers, below 1e-38, are flushed to 0 wherever networks are computed. DAE makes the most
  of them; its step is timed with and without them, in separate processes. Their cost depends on the
  CPU.
- Scores are computed on one thread, for volumes of 50x96x96 voxels.
- Preprocessing is CPU time of one thread for one scan, without the imports that a job does once for
  all its scans. HD-BET is not included: its times are in input.md.
- Snakemake's share of a job is the time beyond its script's process: to choose the job, start its
  environment (with the stand-in for conda where there is no conda), and check its output.
- `bench/on_gpu.sh --out FOLDER` measures a GPU in nine minutes and four stages: whether the results
  are right (tests/gpu), the speed of each part, whether the whole chain runs from packed slices to
  scores, and which GPUs have enough memory for a training. `python bench/write_docs.py
  FOLDER/results.tsv` writes its table here. Memory there is the GPU's. Passed tests are counted,
  failed tests are named.
"""
SECTIONS = {"cpu": "## On a CPU", "cuda": "## On a GPU"}
NOTHING_YET = {
    "cpu": "Nothing has been measured on a CPU yet; `make bench` makes this section.",
    "cuda": (
        "Nothing has run on a GPU yet; `bench/on_gpu.sh --out FOLDER` on a machine with one makes "
        "this section."
    ),
}
LOSSES = """### Losses

The same training of cDDPM at the demo's size, on the CPU and on the GPU."""
NEEDED = ["device", "machine", "date", "what", "value", "unit", "peak_memory_mib"]
NEEDED += ["reference", "reference_value", "ratio", "goal", "met"]
CELLS = {
    "what": "---",
    "measured": "---:",
    "memory (MiB)": "---:",
    "reference": "---",
    "its": "---:",
    "ratio": "---:",
    "goal": "---",
}
# File, name and style of each curve of losses.
CURVES = (
    ("curve_cpu.tsv", "CPU, fp32", {"color": "#6b6b6b", "linewidth": 3, "alpha": 0.5}),
    ("curve_fp32.tsv", "GPU, fp32", {"color": "#0072b2", "linewidth": 1.2}),
    ("curve_bf16.tsv", "GPU, bf16", {"color": "#d55e00", "linewidth": 1.2, "linestyle": "--"}),
)
Row = dict[str, str]


def write(tables: list[Path], page: Path, image: Path) -> None:
    """Update the page, and the figure of the losses if a table has rows for a GPU."""
    given = rows_by_device(tables)
    texts = {}
    if "cpu" in given:
        _, rows = given["cpu"]
        texts["cpu"] = f"{place_of(rows)}\n\n{table_of(rows)}"
    if "cuda" in given:
        table, rows = given["cuda"]
        texts["cuda"] = gpu_section(rows)
        if draw_losses(table.parent, image):
            texts["cuda"] += f"\n\n{LOSSES}\n\n![Training losses by step](../images/{image.name})"
    page.write_text(document(texts, page.read_text(encoding="utf-8")), encoding="utf-8")


def rows_by_device(tables: list[Path]) -> dict[str, tuple[Path, list[Row]]]:
    """The table and its rows for each device in the tables.

    Exits with one line for rows of another device than CPU and GPU, or of a second machine.
    """
    found: dict[str, tuple[Path, list[Row]]] = {}
    for path in tables:
        table = read_table(path, NEEDED)
        if table.empty:
            sys.exit(f"{path}: has no rows")
        for device, rows in table.groupby("device"):
            if device not in SECTIONS:
                sys.exit(
                    f"{path}: has rows of the device '{device}', expected cpu or cuda; what a "
                    "dry run measures says nothing of a GPU"
                )
            if device in found:
                sys.exit(f"{path}: has rows of {device}, as {found[device][0]} has; give one")
            if (rows["machine"] != rows["machine"].iloc[0]).any():
                sys.exit(f"{path}: has rows of {device} of several machines; give those of one")
            if device == "cuda" and "stage" not in rows:
                sys.exit(f"{path}: has rows of a GPU without a stage, is not of bench/on_gpu.sh")
            found[device] = path, rows.to_dict("records")
    return found


def read_table(path: Path, columns: list[str]) -> pd.DataFrame:
    """A table with at least these columns, as text, since the figures are rounded."""
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        sys.exit(f"{path}: can't be read as a table: {error}")
    if missing := [name for name in columns if name not in table]:
        sys.exit(f"{path}: lacks the columns {', '.join(missing)}")
    # A line with too few cells.
    return table.fillna("")


def document(texts: dict[str, str], page: str) -> str:
    """The page with these sections, and its old sections for the other devices."""
    parts = [HEADER]
    for device, title in SECTIONS.items():
        old = re.search(rf"^{title}\n(.*?)(?=^## |\Z)", page, flags=re.DOTALL | re.MULTILINE)
        text = texts.get(device) or (old[1].strip() if old else NOTHING_YET[device])
        parts.append(f"\n{title}\n\n{text}\n")
    return "".join(parts)


def place_of(rows: list[Row]) -> str:
    """The machine with its versions and the date."""
    return f"{rows[0]['machine']}. {rows[0]['date']}."


def gpu_section(rows: list[Row]) -> str:
    """The GPU, and the results of the stages in the order in which they ran."""
    blocks = [place_of(rows)]
    for stage in dict.fromkeys(row["stage"] for row in rows):
        blocks.append(f"### {stage.capitalize()}?")
        blocks += stage_blocks(stage, [row for row in rows if row["stage"] == stage])
    return "\n\n".join(blocks)


def stage_blocks(stage: str, rows: list[Row]) -> list[str]:
    """How the stage ended, its tests, and a table of its measurements."""
    end, tests, values = "**It did not end.**", {"passed": [], "failed": []}, []
    for row in rows:
        if row["what"].startswith(f"stage {stage}: "):
            how = row["what"].partition(": ")[2].capitalize()
            end = f"{how if how == 'Came to its end' else f'**{how}**'} after {row['value']} s."
        elif row["unit"] == "passed":
            tests["passed" if float(row["value"]) == 1 else "failed"].append(row["what"])
        else:
            values.append(row)
    blocks = [end]
    if any(tests.values()):
        blocks.append(f"Tests: {len(tests['passed'])} passed, {len(tests['failed'])} failed.")
    if tests["failed"]:
        blocks.append("\n".join(f"- **failed**: `{name}`" for name in tests["failed"]))
    if values:
        blocks.append(table_of(values))
    return blocks


def table_of(rows: list[Row]) -> str:
    """A table of measured values, without columns that are empty in all rows."""
    lines = [cells_of(row) for row in rows]
    shown = [name for name in CELLS if any(line[name] for line in lines)]
    lines = [{name: name for name in CELLS}, CELLS, *lines]
    return "\n".join(f"| {' | '.join(line[name] for name in shown)} |" for line in lines)


def cells_of(row: Row) -> dict[str, str]:
    """The cells of a row by column."""
    measured = f"{row['value']} {row['unit']}".strip()
    if row["unit"] == "1 for yes":
        measured = "yes" if float(row["value"]) == 1 else "no"
    return {
        "what": row["what"].replace("|", r"\|"),
        "measured": measured,
        "memory (MiB)": row["peak_memory_mib"],
        "reference": row["reference"],
        "its": f"{row['reference_value']} {row['unit']}" if row["reference"] else "",
        "ratio": row["ratio"],
        "goal": f"{row['goal']}: {row['met']}" if row["goal"] else "",
    }


def draw_losses(folder: Path, image: Path) -> bool:
    """Draw the curves in the folder; without any, delete the old figure."""
    curves = [(folder / file, *drawing) for file, *drawing in CURVES if (folder / file).exists()]
    if not curves:
        image.unlink(missing_ok=True)
        return False
    figure = Figure(figsize=(6, 3), layout="constrained")
    axes = figure.add_subplot(yscale="log", xlabel="step", ylabel="training loss")
    for path, name, style in curves:
        curve = read_table(path, ["step", "training_loss"])
        axes.plot(
            curve["step"].astype(float), curve["training_loss"].astype(float), label=name, **style
        )
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    image.parent.mkdir(parents=True, exist_ok=True)
    # Equal bytes in each run.
    with mpl.rc_context({"svg.hashsalt": "losses"}):
        figure.savefig(image, metadata={"Date": None})
    return True


if __name__ == "__main__":
    tables = [Path(name) for name in sys.argv[1:]]
    write(tables or [path for path in [RESULTS] if path.exists()], PAGE, IMAGE)
