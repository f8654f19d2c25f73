import pandas as pd
import pytest
from small_report import LABELS, texts_of, write_small_table

from brainuad.io.tables import write_table
from brainuad.report.tables.left_out import left_out_html
from brainuad.report.tables.run import duration, machines_texts, memory


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (4.21, "4.2 s"),
        (59.96, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.7, "1 h 00 min"),
        (3900, "1 h 05 min"),
        (float("nan"), "\u2013"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_memory():
    assert memory(512) == "512 MB"
    assert memory(1536) == "1.5 GB"
    assert memory(float("nan")) == "\u2013"


def test_left_out_says_in_words_that_there_is_none():
    columns = ["dataset", "modality", "subject", "session", "stage", "reason"]
    assert "No subject and no scan was left out." in left_out_html(
        pd.DataFrame(columns=columns), LABELS
    )
    row = pd.DataFrame([["ixi", float("nan"), "007", "", "listing", "a < b"]], columns=columns)
    page = left_out_html(row, LABELS)
    assert "Left out: 1 whole subject.</p>" in page
    assert ">IXI<" in page and "a &lt; b" in page
    scans = pd.DataFrame([["ixi", "t1", "008", "", "registered", "far"]] * 2, columns=columns)
    page = left_out_html(pd.concat([row, scans], ignore_index=True), LABELS)
    assert "Left out: 1 whole subject and 2 single scans." in page


def test_left_out(tmp_path):
    listed = pd.DataFrame(
        [
            ["001", "a_t1.nii.gz", "a_t2.nii.gz", "ok", ""],
            ["002", "b_t1.nii.gz", "b_t2.nii.gz", "left_out", "cut short"],
            ["003", "c_t1.nii.gz", "", "partial", "no t2 scan"],
            ["004", "d_t1.nii.gz", "d_t2.nii.gz", "ok", ""],
        ],
        columns=["subject", "t1", "t2", "status", "reason"],
    ).assign(session="")
    write_table(listed, tmp_path / "ixi.tsv")
    write_table(listed[:1], tmp_path / "other.tsv")
    later = pd.DataFrame([["001", "registered", "too far"]], columns=["subject", "stage", "reason"])
    later = later.assign(session="")
    write_table(later, tmp_path / "later.tsv")
    for name, remarks in (("ixi", ["a.tsv: 1 < 2"]), ("other", [])):
        write_table(pd.DataFrame({"remark": remarks}), tmp_path / "remarks" / f"{name}.tsv")
    files = write_small_table(
        "left_out",
        tmp_path,
        subjects=[tmp_path / "ixi.tsv", tmp_path / "other.tsv"],
        left_out=[tmp_path / "later.tsv"],
        remarks=[tmp_path / "remarks" / f"{name}.tsv" for name in ("ixi", "other")],
        cohorts=[["ixi", "t2"]],
        modalities={"ixi": ["t1", "t2"], "other": ["t1", "t2"]},
    )
    table, page, latex = texts_of(files)
    assert table.fillna("").to_numpy().tolist() == [
        ["ixi", "", "002", "", "listing", "cut short"],
        ["ixi", "t2", "003", "", "listing", "no t2 scan"],
        ["ixi", "t2", "001", "", "registered", "too far"],
    ]
    assert "5 subjects were found" in page and "IXI T2 & 003 & listing & no t2 scan" in latex
    assert "<ul><li>IXI: a.tsv: 1 &lt; 2.</li></ul>" in page


def test_run(tmp_path):
    header = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
    for name, seconds, peak in (("a", 10.0, "-"), ("b", 30.0, "2048.0"), ("c", 11.0, "100.0")):
        path = tmp_path / "benchmarks" / "train_model" / "t2" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{header}{seconds}\t0:00:10\t{peak}\t-\t-\t-\t0\t0\t0\t0\n")
    columns = ["from_step", "device", "torch", "precision", "compiled", "deterministic"]
    cpu = [0, "AMD EPYC, AVX2", "2.13.0+cpu", "fp32", False, True]
    gpu = [0, "NVIDIA H100", "2.13.0", "bf16", True, True]
    machines = {
        "cddpm/t2/fold0": [cpu],
        "cddpm/t2/fold1": [cpu],
        "cddpm/t1/fold0": [gpu, [120, "NVIDIA A100", *gpu[2:]]],
    }
    for number, rows in enumerate(machines.values()):
        write_table(pd.DataFrame(rows, columns=columns), tmp_path / f"machines{number}.tsv")
    pins = "dependencies:\n  - python=3.11\n  - pip:\n      - numpy=={}\n"
    for name, version in (("core", "2.2"), ("torch", "2.3")):
        (tmp_path / f"{name}.yaml").write_text(pins.format(version), encoding="utf-8")
    files = write_small_table(
        "run",
        tmp_path,
        benchmarks=str(tmp_path / "benchmarks"),
        machines=[tmp_path / f"machines{number}.tsv" for number in range(len(machines))],
        trainings=list(machines),
        environments=[tmp_path / "core.yaml", tmp_path / "torch.yaml"],
        versions={"snakemake": "9.27.1"},
        seed=7,
    )
    facts, page, latex = texts_of(files)
    table = facts.set_index(["name", "quantity"])["value"]
    assert float(table["train_model", "jobs"]) == 3
    assert float(table["train_model", "seconds_total"]) == 51
    assert float(table["train_model", "seconds_median"]) == 11
    assert float(table["train_model", "seconds_max"]) == 30
    assert float(table["train_model", "peak_memory_mib"]) == 2048
    assert table["numpy", "version"] == "2.3" and table["snakemake", "version"] == "9.27.1"
    assert facts["kind"].unique().tolist() == ["version", "seed", "rule", "training"]
    assert "51.0 s" in page and "2.0 GB" in page and ">7<" in page
    assert table["cddpm/t1/fold0", "device"] == "NVIDIA H100"
    assert table["cddpm/t1/fold0 from step 120", "device"] == "NVIDIA A100"
    assert "What trained" in page and "NVIDIA A100" in page
    assert latex.count(r"\bottomrule") == 4
    trained = machines_texts(facts[facts["kind"] == "training"], LABELS)
    assert trained.to_numpy().tolist() == [
        ["cDDPM", "T2", "0, 1", "AMD EPYC, AVX2", "2.13.0+cpu", "fp32", "no", "yes"],
        ["cDDPM", "T1", "0", "NVIDIA H100", "2.13.0", "bf16", "yes", "yes"],
        ["cDDPM", "T1", "0 from step 120", "NVIDIA A100", "2.13.0", "bf16", "yes", "yes"],
    ]
