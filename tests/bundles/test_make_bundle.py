"""A bundle holds what it says, by MONAI's own checks, and nothing that could be code."""

import json
import pickletools
import shutil
import subprocess
import zipfile
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from monai.bundle import verify_metadata
from small_bundle import SETTINGS, SUBJECTS, small_bundle

import take_bundle
from brainuad.compute.device import prepare_device
from brainuad.config.device import DeviceSettings
from brainuad.evaluation.healthy_residuals import read_healthy_residuals
from brainuad.io.bundle_files import check_bundle, write_checksums
from brainuad.io.errors import SettingsError
from brainuad.io.tables import read_table
from brainuad.models import build_trainable, load_model
from brainuad.models.checkpoints import read_weights
from brainuad.models.shared_weights import read_shared_weights, write_shared_weights

SCHEMA = Path(__file__).with_name("monai_metadata.schema.json")


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    small_bundle(folder)
    return folder


@pytest.fixture(scope="module")
def bundle(run) -> Path:
    return run / "bundles" / "ae_t2"


def test_metadata_pass_the_check_of_monai(bundle, tmp_path):
    """Its own function, with the schema at hand that it would fetch."""
    schema = tmp_path / "schema.json"
    shutil.copy(SCHEMA, schema)
    verify_metadata(meta_file=str(bundle / "configs/metadata.json"), filepath=str(schema))


def test_the_schema_refuses_metadata_that_lack_a_part(bundle):
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    metadata = json.loads((bundle / "configs/metadata.json").read_text(encoding="utf-8"))
    jsonschema.validate(metadata, schema)
    del metadata["network_data_format"]["outputs"]["pred"]["spatial_shape"]
    with pytest.raises(jsonschema.ValidationError, match="spatial_shape"):
        jsonschema.validate(metadata, schema)


def test_metadata_tell_the_slices_and_the_scores(bundle):
    metadata = json.loads((bundle / "configs/metadata.json").read_text(encoding="utf-8"))
    image = metadata["network_data_format"]["inputs"]["image"]
    assert image["spatial_shape"] == [48, 48]
    assert image["channel_def"] == {"0": "T2, axial slice of the scan"}
    assert metadata["eval_metrics"]["dice_mslub"] == 0.45
    assert metadata["monai_version"] == "1.6.1"


def test_nothing_in_it_is_a_pickle(bundle):
    files = [path for path in bundle.rglob("*") if path.is_file()]
    for file in files:
        contents = [file.read_bytes()]
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                contents = [archive.read(name) for name in archive.namelist()]
        for content in contents:
            with pytest.raises(ValueError):
                list(pickletools.genops(content))
    assert {file.suffix for file in files} == {
        *(".gz", ".json", ".md", ".npz", ".safetensors", ".sha256", ".tsv", ".txt")
    }


def test_checksums_are_those_of_sha256sum(bundle):
    command = ["sha256sum", "--check", "--strict", "checksums.sha256"]
    done = subprocess.run(command, cwd=bundle, capture_output=True, text=True)
    listed = sum(path.is_file() for path in bundle.rglob("*")) - 1
    assert done.returncode == 0 and done.stdout.count(": OK") == listed


def test_the_same_run_gives_the_same_bytes(run, bundle, tmp_path):
    again = small_bundle(tmp_path)
    for path in bundle.rglob("*"):
        if path.is_file():
            assert (again / path.relative_to(bundle)).read_bytes() == path.read_bytes(), path


def test_a_model_comes_back_as_it_was(run, bundle):
    device = prepare_device(
        DeviceSettings(name="cpu", precision="fp32", compile=False, deterministic=True), 1
    )
    (trained,) = run.rglob("weights.pt")
    images = torch.rand((2, 1, 48, 48), generator=torch.Generator().manual_seed(1))
    seeds = torch.tensor([1, 2])
    first, second = (
        load_model(path, device).reconstruct(
            images, timesteps=[1], subject_seeds=seeds, slice_indices=seeds
        )
        for path in (trained, bundle / "models/model.safetensors")
    )
    assert torch.equal(first, second)
    before, after = (
        read_weights(trained)["state"],
        read_shared_weights(bundle / "models/model.safetensors"),
    )
    assert after["settings"] == SETTINGS
    assert before.keys() == after["state"].keys()
    assert all(torch.equal(before[name], after["state"][name]) for name in before)


def test_weights_that_share_memory_are_written_apart(tmp_path):
    one = torch.arange(6.0).reshape(2, 3)
    state = {"a": one, "b": one, "turned": one.T}
    path = tmp_path / "model.safetensors"
    write_shared_weights(path, kind="autoencoder", settings={}, state=state)
    again = read_shared_weights(path)["state"]
    assert all(torch.equal(again[name], state[name]) for name in state)


@pytest.mark.parametrize("content", [b"", b"nothing", pickletools.__doc__.encode()])
def test_other_weights_are_refused(tmp_path, content):
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(SettingsError, match=r"model.safetensors: not the weights of a bundle"):
        read_shared_weights(tmp_path / "model.safetensors")


def test_thresholds_name_whom_they_were_fitted_on(bundle):
    thresholds = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in (bundle / "thresholds").iterdir()
    }
    assert thresholds["healthy"] == {"threshold": 0.25, "subjects": 1, "fitted_on": ["ixi0"]}
    assert thresholds["fitted_mslub"]["threshold"] == 0.125
    assert thresholds["fitted_mslub"]["fitted_on"] == ["mslub0"]
    assert set(thresholds) == {"healthy", "fitted_brats21", "fitted_mslub"}
    assert np.array_equal(
        read_healthy_residuals(bundle / "healthy/residuals.npz").affine, np.eye(4)
    )


def test_validation_subjects_that_leak_or_broke(tmp_path):
    """One that keep_leaks tests too counts in both sets; one without anomaly map fitted nothing."""
    bundle = small_bundle(tmp_path, also_validated=[1, SUBJECTS])
    for name, dataset in (("healthy", "ixi"), ("fitted_mslub", "mslub")):
        threshold = json.loads((bundle / f"thresholds/{name}.json").read_text(encoding="utf-8"))
        assert threshold["fitted_on"] == [f"{dataset}0", f"{dataset}1"]
    groups = read_table(bundle / "scores/subgroups.tsv").set_index(["dataset", "group", "metric"])
    assert groups.at[("mslub", "m", "dice"), "subjects"] == 4


def test_scores_are_of_each_data_set_and_group(bundle):
    scores = read_table(bundle / "scores/scores.tsv").set_index(["dataset", "metric"])
    assert scores.at[("mslub", "dice"), "mean"] == pytest.approx(0.45)
    assert scores.at[("ixi", "ssim"), "mean"] == pytest.approx(0.8)
    groups = read_table(bundle / "scores/subgroups.tsv")
    small = groups[(groups["group"] == "< 5 ml") & (groups["metric"] == "dice")]
    assert small["mean"].tolist() == pytest.approx([0.2, 0.2])


def test_card_is_filled_from_the_run(bundle):
    card = (bundle / "docs/README.md").read_text(encoding="utf-8")
    for text in (
        "Not for diagnosis",
        "Trained and tested on phantoms",
        "| IXI T2 | 0 | 1 | 6 | 30 to 71 years | 2 f, 4 m | Guys | template |",
        "| MSLUB T2 | 45.0 (",
        "| healthy | 0.25 | 1 | \u2013 |",
        "- MSLUB T2: lowest where lesion volume is < 5 ml, with a Dice of 20.0 % over 3 test "
        "subjects.",
        "| MSLUB T2 | lesion volume | < 5 ml | 3 | 20.0 | 30.0 |",
        "| MSLUB T2 | 2.5 | 2.5 |",
        "`bundle: ae_t2`",
    ):
        assert text in card
    terms = (bundle / "docs/license.txt").read_text(encoding="utf-8")
    assert "ICBM152" in terms and "the template: phantoms" in terms


def test_real_data_have_the_terms_of_their_sources(tmp_path):
    changes = {"phantoms": None, "template": {"image": None}}
    bundle = small_bundle(tmp_path, changes=changes)
    terms = (bundle / "docs/license.txt").read_text(encoding="utf-8")
    assert "IXI T2: CC BY-SA 3.0" in terms and "the template: CC BY-SA 3.0 (SRI24" in terms
    card = (bundle / "docs/README.md").read_text(encoding="utf-8")
    assert "phantoms" not in card and "they are preprocessed like the training scans" in card


def test_card_names_the_version_of_hdbet(tmp_path):
    changes = {"hdbet": {"version": 2}, "datasets": {"ixi": {"skull_stripping": "hdbet"}}}
    card = (small_bundle(tmp_path, changes=changes) / "docs/README.md").read_text(encoding="utf-8")
    assert "| Guys | HD-BET 2 |" in card


def test_card_says_that_scans_came_stripped(tmp_path):
    changes = {"datasets": {"ixi": {"skull_stripping": "none"}}}
    card = (small_bundle(tmp_path, changes=changes) / "docs/README.md").read_text(encoding="utf-8")
    assert "| Guys | came stripped |" in card


def test_card_does_not_say_how_an_archive_was_preprocessed(tmp_path):
    preprocessed = {"layout": "preprocessed", "part": "Train/ixi", "skull_stripping": "hdbet"}
    changes = {"phantoms": None, "datasets": {"ixi": preprocessed}}
    card = (small_bundle(tmp_path, changes=changes) / "docs/README.md").read_text(encoding="utf-8")
    assert "| Guys | as in the archive | those of the data sets in the authors' archive |" in card
    assert "HD-BET" not in card and "they are preprocessed like the training scans" not in card


def test_card_does_not_say_that_a_model_of_own_maps_reconstructs(bundle, tmp_path):
    card, other = (
        (folder / "docs/README.md").read_text(encoding="utf-8")
        for folder in (small_bundle(tmp_path, method="fae"), bundle)
    )
    reconstructs = "It reconstructs a scan as a healthy brain"
    assert reconstructs not in card and "maps anomalies itself, and reconstructs no brain" in card
    assert reconstructs in other


def test_a_method_without_a_model_has_a_bundle_too(tmp_path):
    bundle = small_bundle(tmp_path, method="thresh")
    check_bundle(bundle)
    assert not (bundle / "models").exists()


def test_files_are_taken_once_the_bundle_is_whole(bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [Path("results/bundle/thresholds/healthy.json")]
    take_bundle.main(bundle=bundle, files=names)
    assert names[0].read_bytes() == (bundle / "thresholds/healthy.json").read_bytes()
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    (copy / "template/brain.nii.gz").write_bytes(b"a brian")
    names[0].unlink()
    with pytest.raises(SettingsError, match=r"template/brain.nii.gz is damaged or was changed"):
        take_bundle.main(bundle=copy, files=names)
    assert not names[0].exists()


def test_healthy_residuals_with_the_right_checksum_may_be_damaged(bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    objects = dict.fromkeys(("mean", "deviation", "mean_residual", "affine"), np.array([{}]))
    np.savez(copy / "healthy/residuals.npz", **objects)
    (copy / "checksums.sha256").unlink()
    write_checksums(copy)
    file = Path("results/bundle/healthy/residuals.npz")
    with pytest.raises(SettingsError) as caught:
        take_bundle.main(bundle=copy, files=[file])
    expected = f"bundle {copy}: healthy/residuals.npz is damaged; get the bundle again"
    assert str(caught.value) == expected and not file.exists()


def test_an_untrained_network_is_another(bundle):
    """The comparisons above can fail."""
    torch.manual_seed(4)
    other = build_trainable("autoencoder", SETTINGS).network.state_dict()
    state = read_shared_weights(bundle / "models/model.safetensors")["state"]
    assert not all(torch.equal(other[name], state[name]) for name in other)
