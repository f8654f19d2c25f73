"""The derivatives of heads of known make: complete, valid, and everything in its place."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from oriented_heads import (
    LEFT,
    LESION,
    LESION_VOLUME,
    SCANS,
    landmarks_of,
    moved,
    points_of,
    preprocessed,
    template_to_scan,
)
from scipy import ndimage

import pack_slices
import write_derivatives
from brainuad.evaluation.healthy_residuals import HealthyResiduals, write_healthy_residuals
from brainuad.images.computed_volumes import write_anomaly_maps, write_reconstructions
from brainuad.images.slices import read_slices
from brainuad.images.volumes import Volume
from brainuad.io.tables import read_table, write_table
from brainuad.preprocessing.native_space import ScanGrid
from brainuad.report.derivatives.scans import Place, ScanWriter

POSTPROCESSING = {
    "order": ["erosion", "median"],
    "erosion_iterations": 1,
    "median_size": 3,
    "minimum_component": 4,
}
# A second, small finding at the left; its place in the template's brain, RAS mm.
SMALL, SMALL_RADIUS = np.array([-30.0, -20, 0]), 10.0
VALIDATED = ("IPL", "LAS")


def map_of(affine, shape, to_scan, scan):
    """The two findings on the final grid [X, Y, Z], worked out from where they lie in the scan."""
    points = nib.affines.apply_affine(to_scan, points_of(affine, shape))
    scores = np.full(shape, 0.05, np.float32)
    for place, radius, score in ((LESION, 20.0, 0.4), (SMALL, SMALL_RADIUS, 0.3)):
        scores[np.linalg.norm(points - moved(place, scan), axis=-1) < radius] = score
    return scores


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """What the rule hands its script, of all nine heads."""
    chain, folder = preprocessed(), tmp_path_factory.mktemp("derivatives")
    pack_slices.main(
        chunks=[chain / "normalized"],
        subjects=chain / "subjects.tsv",
        slices=folder / "slices.npz",
        left_out=folder / "left_out.tsv",
        on_broken="stop",
    )
    stack = read_slices(folder / "slices.npz")
    shape = stack.images.shape[1:]
    maps = []
    for scan in stack.scans(stack.subjects.tolist()):
        on_grid = map_of(
            scan.affine,
            (shape[1], shape[2], shape[0]),
            template_to_scan(chain, scan.subject),
            scan.subject,
        )
        measures = {"mean_residual": 0.06, "l1_ratio": 1.0, "l1_ratio_released": 1.0}
        maps.append((np.where(scan.brain_mask, on_grid.transpose(2, 0, 1), 0), measures, None))
    names = stack.subjects.tolist()
    write_anomaly_maps(folder / "maps.npz", names, maps, shape=shape)
    write_reconstructions(folder / "made.npz", names, np.asarray(stack.images), shape=shape)
    partitions = ["validation" if name in VALIDATED else "test" for name in names]
    write_table(
        pd.DataFrame({"subject": names, "session": "", "partition": partitions}),
        folder / "split.tsv",
    )
    (folder / "threshold.json").write_text(
        json.dumps({"threshold": 0.2, "share": 0.01, "subjects": 3})
    )
    residuals = HealthyResiduals(
        np.zeros(shape), np.zeros(shape), np.array([0.01, 0.02, 0.03, 0.09]), np.eye(4)
    )
    write_healthy_residuals(residuals, folder / "healthy.npz")
    return {
        "slices": folder / "slices.npz",
        "split": folder / "split.tsv",
        "subjects": chain / "subjects.tsv",
        "anomaly_maps": folder / "maps.npz",
        "reconstructions": folder / "made.npz",
        "threshold": folder / "threshold.json",
        "healthy_residuals": folder / "healthy.npz",
        "brain_masks": [chain / "masks"],
        "transforms": [chain / "transforms"],
        "template": chain / "template.nii.gz",
        "output": folder / "derivatives",
        "name": "Heads T1",
        "modality": "t1",
        "source": str(chain),
        "method": "cddpm_ens",
        "method_label": "cDDPM ENS",
        "score": "anomaly scores",
        "template_source": "template.nii.gz",
        "postprocessing": POSTPROCESSING,
    }


@pytest.fixture(scope="module")
def derivatives(inputs):
    write_derivatives.main(**inputs)
    return inputs["output"]


def files_of(derivatives, scan):
    folder = derivatives / f"sub-{scan}" / "anat"
    return {file.name.removeprefix(f"sub-{scan}_"): file for file in folder.iterdir()}


def test_every_scan_has_its_files(derivatives):
    anat = {
        *("space-orig_desc-brain_mask.nii.gz", "space-orig_desc-brain_mask.json"),
        *(f"space-orig_desc-cddpmens_anomalymap.{end}" for end in ("nii.gz", "json")),
        *(f"space-orig_label-L_desc-cddpmens_mask.{end}" for end in ("nii.gz", "json")),
        *(f"space-orig_desc-cddpmens_dseg.{end}" for end in ("nii.gz", "json", "tsv")),
        *(f"space-template_desc-cddpmens_T1w.{end}" for end in ("nii.gz", "json")),
        *(f"from-orig_to-template_mode-image_xfm.{end}" for end in ("txt", "json")),
    }
    for scan in SCANS:
        assert set(files_of(derivatives, scan)) == anat


@pytest.mark.parametrize("scan", SCANS)
def test_findings_lie_in_the_raw_scan(derivatives, scan):
    raw = nib.load(preprocessed() / f"{scan}.nii")
    files = files_of(derivatives, scan)
    volumes = {
        name: nib.load(file) for name, file in files.items() if "orig_" in name and "nii" in name
    }
    for image in volumes.values():
        assert image.shape == raw.shape
        np.testing.assert_array_equal(image.affine, raw.affine)
    parts = np.asarray(volumes["space-orig_desc-cddpmens_dseg.nii.gz"].dataobj)
    lesion = np.asarray(volumes["space-orig_label-L_desc-cddpmens_mask.nii.gz"].dataobj)
    np.testing.assert_array_equal(lesion, parts > 0)
    assert set(np.unique(parts)) == {0, 1, 2}
    voxel_ml = abs(np.linalg.det(raw.affine[:3, :3])) / 1000
    table = pd.read_csv(files["space-orig_desc-cddpmens_dseg.tsv"], sep="\t")
    assert table["index"].tolist() == [1, 2]
    for number, place, radius, peak in ((1, LESION, 20.0, 0.4), (2, SMALL, SMALL_RADIUS, 0.3)):
        row = table.loc[table["index"] == number].iloc[0]
        volume = 4 / 3 * np.pi * radius**3 / 1000
        found = np.count_nonzero(parts == number) * voxel_ml
        # A ball of 10 mm has five voxels of the final grid across.
        assert found == pytest.approx(volume, rel=0.05 if radius == 20.0 else 0.15)
        assert row["volume_ml"] == pytest.approx(found, rel=1e-4)
        assert row["peak"] == pytest.approx(peak) and row["mean"] == pytest.approx(peak)
        centre = nib.affines.apply_affine(raw.affine, ndimage.center_of_mass(parts == number))
        voxel = np.linalg.norm(raw.affine[:3, :3], axis=0).min()
        assert np.linalg.norm(centre - moved(place, scan)) < voxel
        assert np.linalg.norm(row[["x", "y", "z"]].astype(float) - moved(place, scan)) < voxel
    sides = ["right", "left"] if scan != "mirrored" else ["left", "right"]
    assert table["side"].tolist() == sides

    scores = np.asarray(volumes["space-orig_desc-cddpmens_anomalymap.nii.gz"].dataobj)
    assert scores.dtype == np.float32 and scores.max() == pytest.approx(0.4)
    brain = np.asarray(volumes["space-orig_desc-brain_mask.nii.gz"].dataobj)
    head = np.asarray(raw.dataobj) > 0
    both = np.count_nonzero(head & (brain > 0))
    assert 2 * both / (np.count_nonzero(head) + np.count_nonzero(brain)) > 0.97
    # The final grid has voxels of 4 mm, and the map falls to 0 within the diagonal of one, 7 mm.
    spacing = np.linalg.norm(raw.affine[:3, :3], axis=0)
    assert not scores[ndimage.distance_transform_edt(~head, spacing) > 12].any()


@pytest.mark.parametrize("scan", ["oblique", "IPL"])
def test_itk_reads_the_transform_as_the_registration_wrote_it(derivatives, scan):
    sitk = pytest.importorskip("SimpleITK")
    ours = sitk.ReadTransform(
        files_of(derivatives, scan)["from-orig_to-template_mode-image_xfm.txt"]
    )
    to_scan = template_to_scan(preprocessed(), scan)
    for point in (LEFT, LESION):
        x, y, z = ours.TransformPoint([-point[0], -point[1], point[2]])
        expected = nib.affines.apply_affine(to_scan, point)
        np.testing.assert_allclose([-x, -y, z], expected, atol=1e-4)


def test_reconstruction_lies_in_the_template_whose_image_is_beside_it(derivatives):
    for scan in ("LPS", "mirrored"):
        files = files_of(derivatives, scan)
        image = nib.load(files["space-template_desc-cddpmens_T1w.nii.gz"])
        found = landmarks_of(Volume(image.get_fdata(), image.affine))
        expected = nib.affines.apply_affine(
            np.linalg.inv(template_to_scan(preprocessed(), scan)), moved(LEFT, scan)
        )
        assert np.linalg.norm(found[0] - expected) < 4
        sidecar = json.loads(files["space-template_desc-cddpmens_T1w.json"].read_text())
        assert sidecar["SpatialReference"] == "bids::template/brain.nii.gz"
        assert sidecar["SkullStripped"] is True
    copied = (derivatives / "template/brain.nii.gz").read_bytes()
    assert copied == (preprocessed() / "template.nii.gz").read_bytes()


def test_tables_of_scans(derivatives, inputs):
    table = read_table(derivatives / "anomalies.tsv")
    assert set(table["subject"]) == set(SCANS)
    assert (table["name"] == "sub-" + table["subject"]).all()
    assert set(table.loc[table["partition"] == "validation", "subject"]) == set(VALIDATED)
    assert (table["candidates"] == 2).all()
    volume = (LESION_VOLUME + 4 / 3 * np.pi * SMALL_RADIUS**3) / 1000
    assert table["volume_ml"].tolist() == pytest.approx([volume] * len(table), rel=0.06)
    assert table["maximum"].tolist() == pytest.approx([0.4] * len(table))
    # Of four healthy scans three have a lower mean residual than .06.
    assert (table["percentile"] == 75).all() and (table["healthy_scans"] == 4).all()
    people = pd.read_csv(derivatives / "participants.tsv", sep="\t")
    assert (people["participant_id"] == "sub-" + people["subject"]).all()
    sidecar = json.loads(
        files_of(derivatives, "RAS")["space-orig_desc-cddpmens_dseg.json"].read_text()
    )
    assert sidecar["Threshold"]["Value"] == 0.2
    assert (
        "1 % of the brain voxels of 3 healthy validation subjects" in sidecar["Threshold"]["Origin"]
    )
    assert sidecar["Sources"] == ["bids:raw:RAS.nii"]


def test_scans_that_came_registered_lie_on_the_template(inputs, tmp_path):
    """Of a modality, too, that BIDS has no name for, and of a method without a model."""
    table = pd.read_csv(inputs["subjects"], sep="\t").rename(columns={"t1": "dwi2"})
    write_table(table, tmp_path / "subjects.tsv")
    changes = {
        "subjects": tmp_path / "subjects.tsv",
        "reconstructions": None,
        "brain_masks": [],
        "transforms": [],
        "template": None,
        "template_source": "the template of the archive",
        "modality": "dwi2",
        "output": tmp_path / "derivatives",
    }
    write_derivatives.main(**inputs | changes)
    stack = read_slices(inputs["slices"])
    for scan in stack.scans(["LPS", "mirrored"]):
        files = files_of(tmp_path / "derivatives", scan.name)
        assert all("space-template" in name for name in files)
        scores = nib.load(files["space-template_desc-cddpmens_anomalymap.nii.gz"])
        np.testing.assert_array_equal(scores.affine, scan.affine)
        assert scores.shape == scan.image.transpose(1, 2, 0).shape
        sidecar = json.loads(files["space-template_desc-brain_mask.json"].read_text())
        assert sidecar["SpatialReference"] == "the template of the archive"
        rows = pd.read_csv(files["space-template_desc-cddpmens_dseg.tsv"], sep="\t")
        to_scan = template_to_scan(preprocessed(), scan.name)
        there = nib.affines.apply_affine(np.linalg.inv(to_scan), moved(LESION, scan.name))
        assert np.linalg.norm(rows.loc[0, ["x", "y", "z"]].astype(float) - there) < 2
        assert rows["side"].tolist() == (
            ["right", "left"] if scan.name == "LPS" else ["left", "right"]
        )
    assert_valid(tmp_path / "derivatives")


def test_of_samples_there_is_their_deviation_in_the_raw_scan(inputs, tmp_path):
    """Of a ball in which three reconstructions differ, and their mean is what one alone was."""
    stack = read_slices(inputs["slices"])
    names, shape = stack.subjects.tolist(), stack.images.shape[1:]
    samples = []
    for scan in stack.scans(names):
        slice_, row, column = np.indices(shape)
        points = nib.affines.apply_affine(scan.affine, np.stack([row, column, slice_], axis=-1))
        there = nib.affines.apply_affine(
            np.linalg.inv(template_to_scan(preprocessed(), scan.name)), moved(LESION, scan.name)
        )
        ball = np.linalg.norm(points - there, axis=-1) < 20
        samples.append(scan.image + np.array([-0.1, 0, 0.1])[:, None, None, None] * ball)
    write_reconstructions(tmp_path / "made.npz", names, samples, shape=shape, samples=3)
    changes = {"reconstructions": tmp_path / "made.npz", "output": tmp_path / "derivatives"}
    write_derivatives.main(**inputs | changes)
    for scan in ("RAS", "oblique"):
        files = files_of(tmp_path / "derivatives", scan)
        found = nib.load(files["space-orig_desc-cddpmens_stdmap.nii.gz"])
        raw = nib.load(preprocessed() / f"{scan}.nii")
        np.testing.assert_array_equal(found.affine, raw.affine)
        values = found.get_fdata()
        assert values.shape == raw.shape and values.max() == pytest.approx(0.1, rel=1e-3)
        centre = nib.affines.apply_affine(raw.affine, ndimage.center_of_mass(values))
        assert np.linalg.norm(centre - moved(LESION, scan)) < 2
        sidecar = json.loads(files["space-orig_desc-cddpmens_stdmap.json"].read_text())
        assert sidecar["Interpolation"] == "linear"
        assert sidecar["Sources"] == [f"bids:raw:{scan}.nii"]
        mean = nib.load(files["space-template_desc-cddpmens_T1w.nii.gz"]).get_fdata()
        (alone,) = stack.scans([scan])
        np.testing.assert_allclose(mean, alone.image.transpose(1, 2, 0), atol=1e-6)
    assert "_stdmap` | how much" in (tmp_path / "derivatives" / "README.md").read_text()
    assert_valid(tmp_path / "derivatives")


def test_a_candidate_between_thick_slices_is_not_written(inputs, tmp_path, capsys):
    """Neither in the table nor in the count; the others keep numbers without gaps."""
    (scan,) = read_slices(inputs["slices"]).scans(["RAS"])
    scores = np.zeros(scan.image.shape, np.float32)
    # A tall part, a flat one that is next in size, and a column.
    scores[2:10, 4:8, 4:8] = 0.5
    scores[5, 12:18, 12:18] = 0.4
    scores[2:10, 2, 12] = 0.3
    # Slices four times as thick, of which none goes through the flat part.
    affine = scan.affine @ np.diag([1.0, 1.0, 4.0, 1.0])
    affine[:3, 3] += scan.affine[:3, 2] * 3
    depth, *rows_and_columns = scores.shape
    grid = ScanGrid(affine, (*rows_and_columns, depth // 4))
    place = Place("orig", grid, np.ones(grid.shape, np.uint8), np.eye(4), midsagittal=0.0)
    writer = ScanWriter("cddpm", "scores", "T1w", {}, lambda scores: scores > 0.2, "template")
    volumes = writer.write(
        tmp_path / "sub-RAS", scan, scores, None, None, place=place, source="bids:raw:RAS.nii"
    )
    dseg = nib.load(tmp_path / "sub-RAS_space-orig_desc-cddpm_dseg.nii.gz")
    parts = np.asarray(dseg.dataobj)
    table = pd.read_csv(tmp_path / "sub-RAS_space-orig_desc-cddpm_dseg.tsv", sep="\t")
    assert table["index"].tolist() == [1, 2] == np.unique(parts[parts > 0]).tolist()
    assert table["peak"].tolist() == pytest.approx([0.5, 0.3])
    assert len(volumes) == 2 and min(volumes) > 0
    counted = np.bincount(parts.ravel())[1:] * grid.voxel_ml
    np.testing.assert_allclose(table["volume_ml"], counted, rtol=1e-4)
    assert "1 of 3 candidates" in capsys.readouterr().out


def validate(*arguments):
    """Run the validator of BIDS, which lies beside this Python."""
    command = [str(Path(sys.executable).parent / "bids-validator-deno"), *arguments]
    try:
        return subprocess.run(command, text=True, capture_output=True)
    except OSError as error:
        pytest.skip(f"bids-validator-deno does not run here: {error}")


def assert_valid(folder):
    if validate("--version").returncode:
        pytest.skip("bids-validator-deno does not run here")
    done = validate("--format", "json", str(folder))
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert not [issue for issue in issues if issue["severity"] == "error"]


def test_the_validator_of_bids_finds_no_error(derivatives):
    assert_valid(derivatives)


def test_the_validator_finds_what_is_wrong(derivatives, tmp_path):
    """So that it was asked at all."""
    if validate("--version").returncode:
        pytest.skip("bids-validator-deno does not run here")
    broken = tmp_path / "broken"
    shutil.copytree(derivatives, broken)
    (broken / ".bidsignore").unlink()
    (broken / "dataset_description.json").write_text('{"Name": "heads"}')
    assert validate(str(broken)).returncode != 0
