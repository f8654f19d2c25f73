"""The cost of Snakemake itself: the graph of the whole paper, and each job."""

import re
import runpy
import shutil
import subprocess
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median

import yaml
from measuring import PROJECT, Row, elapsed

SNAKEMAKE = PROJECT / ".environments" / "snakemake" / "bin"
JOBS = 20

# Trivial jobs in a graph as large as the paper's, most of which never start.
SNAKEFILE = """
rule all:
    input:
        expand("done/{{number}}", number=range({jobs})),
        expand("waiting/{{number}}", number=range({waiting})),

rule trivial:
    output: "done/{{number}}"
    log: "logs/{{number}}.log"
    benchmark: "benchmarks/{{number}}.tsv"
    conda: "{environment}"
    script: "trivial.py"

rule fail:
    input: expand("done/{{number}}", number=range({jobs}))
    output: "failed"
    shell: "exit 1"

rule wait:
    input: "failed"
    output: "waiting/{{number}}"
    conda: "{environment}"
    script: "trivial.py"
"""
TRIVIAL_SCRIPT = """
import sys
from pathlib import Path

Path(snakemake.output[0]).write_text(sys.executable)
"""
LARGE_STUDY = {
    "device": "cpu",
    "template": {"image": "template.nii.gz"},
    "datasets": {
        **dict.fromkeys(("brats21", "mslub", "atlas", "wmh")),
        "ixi": {"root": "raw/ixi", "modalities": ["t1"]},
        "patients": {
            "layout": "bids",
            "root": "raw/patients",
            "healthy": False,
            "lesion_masks": False,
            "modalities": ["t1"],
        },
    },
    "evaluation": {
        "methods": ["thresh", "cddpm"],
        "maps_method": "cddpm",
        "comparison": {"reference": "cddpm"},
    },
    "experiments": {
        **{name: {"models": []} for name in ("timesteps", "conditioning")},
        **{name: {"methods": []} for name in ("contrast", "histograms", "postprocessing")},
    },
}
# Snakemake as its command starts it, which prints its peak memory at the end.
SNAKEMAKE_WITH_PEAK = f"""
import atexit, sys
sys.path.append({str(PROJECT / "bench")!r})
import yaml
from measuring import peak_memory_mib
from snakemake.cli import main

atexit.register(lambda: print("peak", peak_memory_mib()))
main()
"""


def measured() -> list[Row]:
    """Rows for the paper's graph, and for a job in a graph of that size."""
    if not SNAKEMAKE.exists():
        raise SystemExit("no Snakemake to measure: run `make .environments/snakemake/.built`")
    with tempfile.TemporaryDirectory() as folder:
        rows, jobs = paper_graph(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        rows += large_study(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        return [*rows, job_overhead(Path(folder), jobs=jobs)]


def paper_graph(folder: Path) -> tuple[list[Row], int]:
    """Rows for a dry run of the full paper on empty files with the real names, and its jobs."""
    trees = runpy.run_path(str(PROJECT / "tests" / "workflow" / "raw_trees.py"))
    (folder / "config").mkdir()
    shutil.copy(PROJECT / "config" / "config.yaml", folder / "config")
    for dataset, count in trees["SUBJECTS"].items():
        trees["write_raw_tree"](folder / "resources" / "data" / dataset, dataset, count)
    snakemake(folder, *(f"results/subjects/{dataset}.tsv" for dataset in trees["SUBJECTS"]))
    return dry_run(folder, "the whole paper", seconds=15, mebibytes=300)


def large_study(folder: Path) -> list[Row]:
    """Rows for the dry run of a study of 40,000 patients, from tables alone, without scans."""
    (folder / "config").mkdir()
    text = yaml.safe_dump(LARGE_STUDY)
    (folder / "config" / "config.yaml").write_text(text, encoding="utf-8")
    (folder / "template.nii.gz").touch()
    for dataset, count in (("ixi", 560), ("patients", 40_000)):
        (folder / "raw" / dataset).mkdir(parents=True)
        rows = [
            f"sub-{number:05d}\t\traw/{dataset}/sub-{number:05d}.nii.gz\t\t\t40\tok\n"
            for number in range(count)
        ]
        for table in (f"listed/{dataset}", f"subjects/{dataset}", f"subjects/remarks/{dataset}"):
            path = folder / "results" / f"{table}.tsv"
            path.parent.mkdir(parents=True, exist_ok=True)
            header = "subject\tsession\tt1\tseg\tbrain_mask\tage\tstatus\n"
            path.write_text(header + "".join(rows), encoding="utf-8")
    rows, _ = dry_run(folder, "a study of 40,000 scans", seconds=60, mebibytes=2048)
    return rows


def dry_run(folder: Path, study: str, *, seconds: int, mebibytes: int) -> tuple[list[Row], int]:
    """Rows for a dry run with its goals, and its number of jobs."""
    printed = ""

    def run() -> None:
        nonlocal printed
        printed = snakemake(folder, "--dry-run", "--quiet", "rules")

    took = elapsed(run)
    jobs = int(re.search(r"^total\s+(\d+)", printed, flags=re.MULTILINE)[1])
    peak = float(re.search(r"^peak (.*)", printed, flags=re.MULTILINE)[1])
    name = f"dry run of {study}, {jobs} jobs"
    rows = [
        Row(name, took, "s", goal=f"value <= {seconds}"),
        Row(f"{name}: memory", peak, "MiB", goal=f"value <= {mebibytes}"),
    ]
    return rows, jobs


def job_overhead(folder: Path, *, jobs: int) -> Row:
    """The time of a job beyond its script, one job after the other in a graph of `jobs`."""
    environment = PROJECT / "envs" / "core.yaml"
    text = SNAKEFILE.format(jobs=JOBS, waiting=jobs, environment=environment)
    (folder / "Snakefile").write_text(text)
    script = folder / "trivial.py"
    script.write_text(TRIVIAL_SCRIPT)
    snakemake(folder, "--conda-create-envs-only", snakefile=folder / "Snakefile")
    snakemake(folder, snakefile=folder / "Snakefile", ends_with=1)
    done = sorted((folder / "done").iterdir(), key=lambda file: file.stat().st_mtime)
    apart = [later.stat().st_mtime - earlier.stat().st_mtime for earlier, later in pairwise(done)]
    script.write_text(TRIVIAL_SCRIPT.replace("snakemake.output[0]", repr(str(folder / "alone"))))
    alone = min(elapsed(lambda: subprocess.run([done[0].read_text(), script])) for _ in range(5))
    what = f"Snakemake's share of a job, one after the other, in a graph of {jobs} jobs"
    return Row(what, median(apart) - alone, "s")


def snakemake(
    folder: Path, *arguments: str, snakefile: Path = PROJECT / "Snakefile", ends_with: int = 0
) -> str:
    """Run Snakemake in a working directory, one job at a time; returns what it printed."""
    conftest = runpy.run_path(str(PROJECT / "tests" / "workflow" / "conftest.py"))
    command = [SNAKEMAKE / "python", "-c", SNAKEMAKE_WITH_PEAK, "--snakefile", snakefile]
    options = ["--directory", folder, "--cores", "1", "--use-conda", *arguments]
    done = subprocess.run(
        [*command, *options],
        env=conftest["environment"](),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode != ends_with:
        raise SystemExit(f"Snakemake ended with {done.returncode}:\n{done.stdout[-3000:]}")
    return done.stdout
