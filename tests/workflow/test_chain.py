"""The whole chain on a few coarse phantoms, through every rule and environment."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from monai.networks.nets.resnet import ResNetFeatures

from brainuad.evaluation.thresholds import ON_HEALTHY
from conftest import MINIATURE, demo_config, environment, make_working_directory, merged

LESION = {"brats21": "t2", "mslub": "t2", "atlas": "t1", "wmh": "t1"}
FIRST, LATER = (MINIATURE["evaluation"][key] for key in ("methods", "later_methods"))
METHODS = [*FIRST, *LATER]
TIDY = ["method", "dataset", "modality", "metric", "mean", "sd"]
TIDY += ["ci_low", "ci_high", "folds", "subjects"]


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t")


def planned(snakemake, chain, *arguments: str) -> dict[str, int]:
    """The rules that a dry run would run, and how often."""
    project, directory = chain
    done = snakemake(directory, "--dry-run", *arguments, project=project)
    words = [line.split() for line in done.stdout.splitlines()]
    return {pair[0]: int(pair[1]) for pair in words if len(pair) == 2 and pair[1].isdigit()}


def test_subject_tables_name_missing_and_broken_scans(chain):
    table = read(chain[1] / "results/subjects/ixi.tsv")
    missing, broken = table[table["status"] == "partial"].itertuples()
    assert missing.reason == "no t2 scan of this subject"
    assert "the file is cut short" in broken.reason
    left_out = read(chain[1] / "results/report/tables/left_out.tsv")
    assert left_out["subject"].tolist() == [missing.subject, broken.subject]
    assert table["age"].notna().any(), "IXI.xls was read"
    slices = np.load(chain[1] / "results/slices/ixi_t1.npz", allow_pickle=False)
    assert {missing.subject, broken.subject} <= set(slices["subjects"].tolist())


def test_archives_were_unpacked(chain):
    for dataset, kind in (("ixi", "tar"), ("mslub", "zip")):
        downloads = chain[1] / "resources/phantoms" / dataset
        assert list(downloads.glob(f"*.{kind}"))
        assert not list(downloads.rglob("*.nii.gz"))
        assert list((chain[1] / "resources/unpacked" / dataset).rglob("*.nii.gz"))


def test_quality_page_shows_every_scan(chain):
    for dataset, modality in {**LESION, "ixi": "t1"}.items():
        name = f"{dataset}_{modality}"
        page = (chain[1] / f"results/report/quality/{name}/index.html").read_text()
        slices = np.load(chain[1] / f"results/slices/{name}.npz", allow_pickle=False)
        measures = read(chain[1] / f"results/report/tables/quality_{name}.tsv")
        assert set(measures["subject"].astype(str)) == set(slices["subjects"].tolist())
        for subject in slices["subjects"]:
            assert subject in page


def test_own_patients_without_masks_get_anomaly_maps(chain, snakemake):
    """A BIDS folder, one block of config, and one target."""
    project, directory = chain
    bids = directory.parent / "own data"
    for number, scan in enumerate(sorted((directory / "resources").rglob("orig/T1.nii.gz")), 1):
        target = bids / f"sub-{number:02d}" / "anat" / f"sub-{number:02d}_T1w.nii.gz"
        target.parent.mkdir(parents=True)
        shutil.copy(scan, target)
    config = directory / "config/config.yaml"
    before = config.read_text()
    block = {"layout": "bids", "root": str(bids), "healthy": False, "lesion_masks": False}
    block |= {"modalities": ["t1"], "skull_stripping": "template"}
    try:
        values = merged(yaml.safe_load(before), {"datasets": {"my_study": block}})
        config.write_text(yaml.safe_dump(values))
        snakemake(directory, "my_study", project=project)
        derivatives = directory / "results/derivatives/my_study_t1"
        for number in (1, 2, 3):
            name = f"sub-{number:02d}"
            raw = nib.load(bids / name / "anat" / f"{name}_T1w.nii.gz")
            scores = nib.load(
                derivatives / name / "anat" / f"{name}_space-orig_desc-ddpmensz_anomalymap.nii.gz"
            )
            assert scores.shape == raw.shape
            np.testing.assert_array_equal(scores.affine, raw.affine)
            brain = nib.load(
                derivatives / name / "anat" / f"{name}_space-orig_desc-brain_mask.nii.gz"
            )
            assert not np.asarray(scores.dataobj)[np.asarray(raw.dataobj) == 0].any()
            assert np.asarray(brain.dataobj).any()
        assert (directory / "results/report/quality/my_study_t1/index.html").is_file()
        assert not list((directory / "results/scores").rglob("my_study_t1.tsv"))
    finally:
        config.write_text(before)


def test_scores_are_tidy(chain):
    for method in METHODS:
        for dataset, modality in LESION.items():
            scores = read(chain[1] / f"results/scores/{method}/fold0/{dataset}_{modality}.tsv")
            assert {"subject", "modality", "metric", "value"} <= set(scores.columns)
            assert set(scores["modality"]) == {modality}
            assert {"dice", "auprc", "precision", "recall", "l1_ratio"} <= set(scores["metric"])
            assert scores.loc[scores["metric"] == "dice", "value"].between(0, 1).all()


def test_every_kind_of_method_goes_through_the_rules(chain, snakemake):
    project, directory = chain
    methods = ("svae", "dae", "anogan", "pddpm_ens")
    files = [f"results/scores/{method}/fold0/wmh_t1.tsv" for method in methods]
    snakemake(directory, *files, project=project)
    for file in files:
        scores = read(directory / file)
        assert scores.loc[scores["metric"] == "auprc", "value"].between(0, 1).all()
    history = read(directory / "results/models/anogan/t1/fold0/history.tsv")
    assert history["validation_loss"].notna().any(), "the encoder had its turn"


def test_perceptual_distance_by_given_weights(chain, snakemake, tmp_path):
    """Random weights in the format of MedicalNet."""
    project, directory = chain
    torch.manual_seed(0)
    state = ResNetFeatures("resnet10", pretrained=False).state_dict()
    weights = tmp_path / "resnet_10.pth"
    torch.save({"state_dict": {f"module.{key}": value for key, value in state.items()}}, weights)
    overlay = tmp_path / "perceptual.yaml"
    values = {"evaluation": {"perceptual": {"weights": str(weights), "sha256": None}}}
    overlay.write_text(yaml.safe_dump(values))
    file = "results/perceptual/cddpm_ssl/fold0/ixi_t1.tsv"
    configs = [str(directory / "config/config.yaml"), str(overlay)]
    snakemake(directory, file, "--configfile", *configs, project=project)
    scores = read(directory / file)
    assert set(scores["modality"]) == {"t1"}
    assert set(scores["metric"]) == {"lpips"}
    assert (scores["value"] > 0).all()


def test_tables_of_the_report(chain):
    tables = chain[1] / "results/report/tables"
    segmentation = read(tables / "segmentation.tsv")
    assert list(segmentation.columns) == TIDY
    assert segmentation["folds"].tolist() == [1] * len(segmentation)
    assert segmentation["folds"].dtype == segmentation["subjects"].dtype == int
    rows = {(row.method, row.dataset, row.modality) for row in segmentation.itertuples()}
    assert rows == {(method, *pair) for method in FIRST for pair in LESION.items()}
    at_healthy = segmentation.loc[segmentation["metric"] == "dice_healthy", "mean"]
    assert len(at_healthy) == len(rows) and at_healthy.between(0, 1).all()
    later = read(tables / "segmentation_later.tsv")
    assert list(later["method"].unique()) == ["cddpm_ssl_ens", *LATER]
    reconstruction = read(tables / "reconstruction.tsv")
    assert list(reconstruction.columns) == TIDY
    healthy = reconstruction[reconstruction["dataset"] == "ixi"]
    assert set(healthy["modality"]) == {"t1", "t2"}
    assert set(healthy["metric"]) == {"l1", "ssim", "psnr"}, "LPIPS needs weights"
    comparison = read(tables / "comparison.tsv")
    assert comparison["p"].between(0, 1).all()
    for name in ("segmentation", "reconstruction", "contrast", "comparison"):
        assert (tables / f"{name}.html").stat().st_size > 0
        assert (tables / f"{name}.tex").stat().st_size > 0


def test_tables_of_the_experiments(chain):
    tables = {path.stem: read(path) for path in chain[1].glob("results/report/tables/*.tsv")}
    experiments = MINIATURE["experiments"]
    assert set(tables["postprocessing"]["variant"]) == {
        *("all steps", "without components", "without median filter", "without erosion")
    }
    histograms = tables["histograms"]
    assert set(histograms["metric"]) == {"entropy_difference", "kl_divergence"}
    assert set(histograms["gamma"]) == set(experiments["histograms"]["gammas"])
    assert set(histograms["dataset"]) == {"ixi", "brats21"}
    assert (histograms.loc[histograms["metric"] == "kl_divergence", "mean"] >= 0).all()
    times = tables["times"]
    # Of two methods with the same reconstructions the first is timed.
    assert set(times["method"]) == {"ddpm_ens", "cddpm_ssl", "cddpm_ssl_ens"}
    assert set(times["modality"]) == {"t1", "t2"}
    assert (times["mean"] > 0).all()
    assert set(tables["conditioning"]["timestep"]) == {500, 1000}


def test_tables_beyond_the_paper(chain):
    tables = {path.stem: read(path) for path in chain[1].glob("results/report/tables/*.tsv")}
    assert set(tables["detection"]["dataset"]) == set(LESION)
    assert tables["detection"]["mean"].between(0, 1).all()
    false_positives = tables["false_positives"]
    assert set(false_positives["dataset"]) == {"ixi"}
    assert set(false_positives["fitted_on"]) == set(LESION) | set(ON_HEALTHY)
    assert "site" in set(tables["false_positives_by_group"]["grouping"])
    lesions = tables["lesions"]
    assert set(lesions["dataset"]) == set(LESION) and set(lesions["method"]) == set(METHODS)
    calibration = tables["calibration"]
    # BraTS21 and MSLUB lend each other their thresholds, and so do ATLAS and WMH.
    of_brats = calibration[calibration["dataset"] == "brats21"]
    assert set(of_brats["fitted_on"]) == {"brats21", "mslub", "test", *ON_HEALTHY}
    assert {"lesion volume", "site"} <= set(tables["subgroups"]["grouping"])


def test_table_follows_from_the_scores(chain):
    scores = read(chain[1] / "results/scores/cddpm_ssl_ens/fold0/brats21_t2.tsv")
    table = read(chain[1] / "results/report/tables/segmentation.tsv").set_index(
        ["method", "dataset", "metric"]
    )
    expected = scores.loc[scores["metric"] == "auprc", "value"].mean()
    assert table.at[("cddpm_ssl_ens", "brats21", "auprc"), "mean"] == pytest.approx(expected)


def test_findings_lie_in_the_scans_and_reconstructions_in_the_template(chain):
    """Of a data set with masks that asks for them, and of all its scans."""
    split = read(chain[1] / "results/splits/mslub/fold0.tsv")
    derivatives = chain[1] / "results/derivatives/mslub_t2"
    anomalies = read(derivatives / "anomalies.tsv")
    assert set(anomalies["scan"]) == set(split["subject"])
    assert set(anomalies["partition"]) == {"validation", "test"}
    template = nib.load(derivatives / "template/brain.nii.gz")
    for row in read(derivatives / "participants.tsv").itertuples():
        anat = derivatives / row.participant_id / "anat"
        raw = chain[1] / f"resources/unpacked/mslub/{row.subject}/{row.subject}_T2W.nii.gz"
        for file in anat.glob("*_space-orig_*.nii.gz"):
            image = nib.load(file)
            assert image.shape == nib.load(raw).shape
            np.testing.assert_array_equal(image.affine, nib.load(raw).affine)
        (file,) = anat.glob("*_space-template_desc-ddpmensz_T2w.nii.gz")
        image = nib.load(file)
        assert nib.aff2axcodes(image.affine) == ("R", "A", "S")
        # Its centre, in millimetres, lies in the template.
        centre = image.affine @ [*((size - 1) / 2 for size in image.shape), 1]
        voxel = nib.affines.apply_affine(np.linalg.inv(template.affine), centre[:3])
        assert all(0 <= v < size for v, size in zip(voxel, template.shape, strict=True))
    whole = read(chain[1] / "results/report/tables/anomalies.tsv")
    assert whole.loc[whole["cohort"] == "mslub_t2", "scan"].tolist() == anomalies["scan"].tolist()


def test_figures_in_both_formats(chain):
    figures = chain[1] / "results/report/figures"
    svgs = {file.stem for file in figures.glob("*.svg")}
    assert svgs == {file.stem for file in figures.glob("*.png")}
    for dataset, modality in LESION.items():
        assert {f"panel_{dataset}_{modality}", f"precision_recall_{dataset}_{modality}"} <= svgs
    assert {"timesteps", "times", "calibration", "conditioning_ixi_t2"} <= svgs
    assert {"histograms_ixi_t2", "histograms_brats21_t2"} <= svgs


def test_second_run_has_nothing_to_do(chain, snakemake):
    assert planned(snakemake, chain) == {}


def test_config_on_the_command_line_changes_nothing(chain, snakemake):
    """Whatever the order of its keys."""
    overlay = chain[1].parent / "overlay.yaml"
    values = yaml.safe_load((chain[1] / "config/config.yaml").read_text())
    overlay.write_text(yaml.safe_dump(values, sort_keys=True))
    assert planned(snakemake, chain, "--configfile", str(overlay)) == {}


def test_report_archive(chain, snakemake, tmp_path):
    project, directory = chain
    archive = tmp_path / "report.zip"
    snakemake(directory, "--report", str(archive), project=project)
    assert archive.stat().st_size > 100_000


def test_setting_of_one_data_set_reruns_it_alone(chain, snakemake):
    config = chain[1] / "config/config.yaml"
    before = config.read_text()
    values = merged(yaml.safe_load(before), {"datasets": {"mslub": {"validation": 2}}})
    try:
        config.write_text(yaml.safe_dump(values))
        rules = planned(snakemake, chain)
        assert rules["split_folds"] == 1
        assert rules["score_segmentation"] == len(METHODS)
        assert not {"train_model", "pretrain_spark", "register_to_template"} & set(rules)
    finally:
        config.write_text(before)


def test_a_changed_name_reconstructs_nothing(chain, snakemake):
    """Though derivatives, which name the data set, hold reconstructions."""
    overlay = chain[1].parent / "names.yaml"
    names = {"datasets": {"mslub": {"label": "Lesions"}}}
    names |= {"methods": {"cddpm_ssl_ens": {"label": "Ensemble"}}}
    overlay.write_text(yaml.safe_dump(names))
    config = str(chain[1] / "config/config.yaml")
    rules = planned(snakemake, chain, "--configfile", config, str(overlay))
    assert rules["write_derivatives"] == 1
    reruns = {"train_model", "reconstruct", "reconstruct_for_derivatives", "map_anomalies"}
    assert not reruns & set(rules)


def test_one_data_set_alone(chain, snakemake):
    """On a fresh directory, `mslub` needs no T1 model and no other lesion set."""
    project, _ = chain
    values = merged(demo_config(), MINIATURE)
    directory = make_working_directory(chain[1].parent / "mslub_alone", values)
    done = snakemake(directory, "--dry-run", "mslub", project=project)
    assert "resources/phantoms/ixi" in done.stdout
    assert "brats21" not in done.stdout
    assert "_t1" not in done.stdout
    assert "/t1/" not in done.stdout


def test_patients_without_masks_alone_need_no_lesion_set(chain, snakemake):
    """Though ATLAS has masks in the same modality, by which thresholds are fitted."""
    changes = {"wmh": {"lesion_masks": False, "validation": 0}}
    values = merged(merged(demo_config(), MINIATURE), {"datasets": changes})
    directory = make_working_directory(chain[1].parent / "wmh_alone", values)
    done = snakemake(directory, "--dry-run", "wmh", project=chain[0])
    assert "rule write_derivatives:" in done.stdout
    assert "atlas" not in done.stdout
    assert "mslub" not in done.stdout


def test_study_without_any_lesion_mask(chain, snakemake):
    """Healthy scans and patients without masks: maps and pages, no thresholds and no scores."""
    values = merged(demo_config(), MINIATURE)
    datasets = dict.fromkeys(("brats21", "mslub", "atlas"))
    datasets["wmh"] = {"lesion_masks": False, "validation": 0}
    values = merged(values, {"datasets": datasets})
    directory = make_working_directory(chain[1].parent / "no_masks", values)
    done = snakemake(directory, "--dry-run", project=chain[0])
    assert "rule write_derivatives:" in done.stdout
    assert "rule score_segmentation:" not in done.stdout


@pytest.mark.parametrize(
    ("module", "reruns", "spares"),
    [
        ("report/figures/style.py", {"plot_panel"}, {"train_model", "register_to_template"}),
        (
            "evaluation/thresholds.py",
            {"score_segmentation"},
            {"train_model", "register_to_template"},
        ),
        ("report/quality/page.py", {"write_quality_page"}, {"write_scan_pages"}),
        ("scores/absolute.py", {"map_anomalies"}, {"train_model", "pretrain_spark"}),
        ("networks/unet.py", {"train_model"}, {"pretrain_spark", "register_to_template"}),
    ],
)
def test_change_of_a_module_reruns_what_it_can_change(chain, snakemake, module, reruns, spares):
    file = chain[0] / "scripts/brainuad" / module
    before = file.read_text()
    try:
        file.write_text(f"{before}\n# A remark changes nothing.\n")
        assert planned(snakemake, chain) == {}
        file.write_text(f"{before}\nCHANGED = 1\n")
        rules = planned(snakemake, chain)
        assert reruns <= set(rules)
        assert not spares & set(rules)
        if module == "networks/unet.py":
            assert rules["train_model"] == len({"ddpm", "cddpm_ssl"}) * len({"t1", "t2"})
    finally:
        file.write_text(before)
        # Content decides: with the old content back there is nothing to do.
        assert planned(snakemake, chain) == {}


def test_log_line_and_device_rerun_nothing(chain, snakemake):
    file = chain[0] / "scripts/brainuad/io/job.py"
    before = file.read_text()
    try:
        file.write_text(f"{before}\nSAID = 'otherwise'\n")
        assert planned(snakemake, chain) == {}
    finally:
        file.write_text(before)
    overlay = chain[1].parent / "elsewhere.yaml"
    where = {"device": "cuda", "gpu": {"compile": False, "deterministic": False}}
    overlay.write_text(yaml.safe_dump(where | {"threads_per_training": 2}))
    config = str(chain[1] / "config/config.yaml")
    assert planned(snakemake, chain, "--configfile", config, str(overlay)) == {}


def test_one_more_timestep_is_made_alone(chain, snakemake):
    overlay = chain[1].parent / "timestep.yaml"
    overlay.write_text(
        yaml.safe_dump({"experiments": {"timesteps": {"timesteps": [300, 500, 700]}}})
    )
    config = str(chain[1] / "config/config.yaml")
    rules = planned(snakemake, chain, "--configfile", config, str(overlay))
    assert rules["score_timesteps"] == len({"ddpm", "cddpm_ssl"}) * len(LESION)
    assert not {"train_model", "reconstruct", "map_anomalies"} & set(rules)


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="this machine has a GPU")
def test_training_without_the_gpu_it_asks_for_is_one_line(chain, snakemake, tmp_path):
    project, finished = chain
    directory = tmp_path / "study"
    shutil.copytree(finished, directory)
    target = "results/models/ddpm/t2/fold0/weights.pt"
    # What is there already is not made anew on another device.
    (directory / target).unlink()
    done = snakemake(directory, target, "--config", "device=cuda", project=project, check=False)
    assert done.returncode != 0
    printed = (done.stdout + done.stderr).splitlines()
    line, summary = [line for line in printed if "torch sees no GPU" in line]
    assert summary.startswith("  train_model: ")
    assert "device" in line
    assert "cpu" in line


def test_killed_run_ends_with_the_same_numbers(chain, snakemake):
    """SIGKILL to everything in the middle of the run, three times, then once more to the end."""
    project, undisturbed = chain
    values = merged(demo_config(), MINIATURE)
    directory = make_working_directory(undisturbed.parent / "killed", values)
    command = ["snakemake", "mslub", "--directory", str(directory), "--cores", "2", "--use-conda"]
    # In preprocessing, in training, and somewhere behind it on a quick machine.
    for seconds in (15, 20, 15):
        run = subprocess.Popen(
            command,
            cwd=project,
            env=environment(),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(seconds)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        snakemake(directory, "--unlock", project=project)
    snakemake(directory, "mslub", project=project)
    files = [
        *undisturbed.glob("results/scores/*/fold0/mslub_t2.tsv"),
        *undisturbed.glob("results/thresholds/*/fold0/mslub_t2.json"),
        *undisturbed.glob("results/models/*/t2/fold0/weights.pt"),
    ]
    assert len(files) == 2 * len(METHODS) + 2
    for file in files:
        other = directory / file.relative_to(undisturbed)
        assert other.read_bytes() == file.read_bytes(), file
