"""From derivatives to a page per scan and to the index, read as files."""

import base64
import gzip
import hashlib
import html
import json
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from small_derivatives import (
    LARGE,
    ORIGIN,
    SHAPE,
    SMALL,
    THRESHOLD,
    head_with_anomalies,
    small_study,
)

import write_scan_index
import write_scan_pages
from brainuad.images.volumes import Volume, write_volume
from brainuad.io.errors import ScanError
from brainuad.report.scans import page
from brainuad.report.scans.results import read_results

NIIVUE = Path(page.__file__).parent / "niivue"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    made = small_study(tmp_path_factory.mktemp("run"))
    write_scan_pages.main(**made.inputs())
    write_scan_index.main(
        derivatives=[made.folder],
        pages=[made.pages],
        output=made.pages.parent / "index.html",
        cohort_labels={made.cohort: "Mine T2"},
    )
    return made


def text_of(study, name: str) -> str:
    return (study.pages / f"{name}.html").read_text(encoding="utf-8")


def embedded(study, name: str) -> dict:
    found = re.search(
        r'<script type="application/json" id="shown">(.*?)</script>', text_of(study, name)
    )
    return json.loads(found[1])


def image_of(text: str) -> nib.Nifti1Image:
    return nib.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(text)))


def test_the_viewer_is_the_one_that_is_recorded():
    digest = hashlib.sha256((NIIVUE / "niivue.umd.js").read_bytes()).hexdigest()
    readme = (NIIVUE / "README.md").read_text(encoding="utf-8")
    assert f"`{digest}`" in readme and "0.69.0" in readme
    assert "Copyright (c) 2021, Niivue" in (NIIVUE / "LICENSE").read_text(encoding="utf-8")


def test_a_folder_holds_all_that_its_pages_need(study):
    names = {path.name for path in study.pages.iterdir()}
    scans = {"sub-01_ses-1.html", "sub-01_ses-2.html", "sub-two.html"}
    tables = {"flagged.tsv", "left_out.tsv"}
    folders = {"pictures", "quality"}
    assert names == {*scans, "index.html", "style.css", *tables, *folders, *page.BESIDE}
    assert (study.pages / "niivue.umd.js").read_bytes() == (NIIVUE / "niivue.umd.js").read_bytes()
    for path in [*study.pages.glob("*.html"), study.pages.parent / "index.html"]:
        text = path.read_text(encoding="utf-8")
        assert "http" not in text, path
        for address in re.findall(r'(?:src|href)="([^"#]*)', text):
            address = html.unescape(address)
            if address not in ("../../quality/mine_t2/index.html", "../index.html"):
                assert (path.parent / re.sub("%(..)", _character, address)).exists(), address


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


@pytest.mark.parametrize("name", ["sub-01_ses-1", "sub-01_ses-2", "sub-two"])
def test_names_are_shown_and_never_read_as_markup(study, name):
    for text in (text_of(study, name), text_of(study, "index")):
        assert "<b>" not in text and "one <b" not in text
    assert "one &lt;b&gt;&amp;&#34;&#39;" in text_of(study, "index")


def test_volumes_lie_where_the_files_have_them(study):
    shown = embedded(study, "sub-01_ses-1")
    scan, anomaly_map = image_of(shown["scan"]), image_of(shown["map"])
    np.testing.assert_array_equal(scan.affine, anomaly_map.affine)
    values = anomaly_map.get_fdata()
    # The brightest of the map are the balls: one place each, left and right of the middle.
    for centre in (LARGE, SMALL):
        place = np.rint(nib.affines.apply_affine(np.linalg.inv(scan.affine), centre)).astype(int)
        assert values[tuple(place)] == pytest.approx(0.5, abs=0.07)
        mirrored = centre * [-1, 1, 1]
        place = np.rint(nib.affines.apply_affine(np.linalg.inv(scan.affine), mirrored)).astype(int)
        assert values[tuple(place)] < 0.2
    assert np.prod(scan.shape) < np.prod(SHAPE)


def test_the_deviation_of_reconstructions_lies_where_its_file_has_it(study):
    shown = embedded(study, "sub-01_ses-1")
    deviation = image_of(shown["deviation"])
    np.testing.assert_array_equal(deviation.affine, image_of(shown["map"]).affine)
    highest = np.unravel_index(deviation.get_fdata().argmax(), deviation.shape)
    np.testing.assert_allclose(nib.affines.apply_affine(deviation.affine, highest), SMALL, atol=5)
    _, _, written = head_with_anomalies((SMALL, 11))
    assert shown["highest_deviation"] == pytest.approx(written.data.max())
    assert "not certain what a healthy brain looks like" in text_of(study, "sub-01_ses-1")


def test_a_scan_that_was_reconstructed_once_has_no_deviation(study):
    assert embedded(study, "sub-two")["deviation"] is None
    assert "standard deviation of the reconstructions" not in text_of(study, "sub-two")


def test_volumes_are_counted_on_the_files_own_grid(study):
    shown = embedded(study, "sub-01_ses-1")
    _, _, anomaly_map = head_with_anomalies((LARGE, 16), (SMALL, 11))
    fitted = shown["fitted"]
    assert shown["levels"][fitted] == THRESHOLD
    expected = np.count_nonzero(anomaly_map.data > THRESHOLD) * anomaly_map.voxel_ml
    assert shown["volumes"][fitted] == pytest.approx(expected, rel=1e-3)
    # Balls of 16 and 11 mm.
    assert expected == pytest.approx(4 / 3 * np.pi * (1.6**3 + 1.1**3), rel=0.1)
    assert shown["volumes"] == sorted(shown["volumes"], reverse=True)
    assert shown["volumes"][-1] == 0


def test_a_page_says_what_was_found_and_what_it_rests_on(study):
    text = html.unescape(re.sub(r"\s+", " ", text_of(study, "sub-01_ses-1")))
    assert "Not for diagnosis." in text
    assert "Its mean score is at or above that of 195 of the 200 healthy test scans." in text
    assert f"The threshold, 0.2: {ORIGIN}." in text
    assert text.count("Go to candidate") == 2
    places = re.findall(r'data-place="([^"]*)"', text)
    for place, centre in zip(places, (LARGE, SMALL), strict=True):
        np.testing.assert_allclose([float(value) for value in place.split()], centre, atol=1.5)
    assert re.search(r'class="text">left<.*class="text">right<', text)
    none = text_of(study, "sub-two")
    assert "No candidate" in none and "Go to candidate" not in none
    assert "There are no healthy scans to compare" in text_of(study, "sub-01_ses-2")


def test_a_scan_has_its_quality_views_beside_it(study):
    """And a link, which is shown if the quality page is there."""
    text = text_of(study, "sub-two")
    assert 'src="quality/sub-two.png"' in text
    assert (study.pages / "quality" / "sub-two.png").read_bytes() == b"two"
    assert re.search(
        r'id="among" data-picture="[^"]*quality/mine_t2/pictures/two.png" hidden', text
    )
    assert 'href="../../quality/mine_t2/index.html#scan-two"' in text


def test_a_scan_without_quality_picture_says_so(tmp_path):
    made = small_study(tmp_path)
    (made.quality / "pictures" / "two.png").unlink()
    write_scan_pages.main(**made.inputs())
    text = text_of(made, "sub-two")
    assert "could not be measured" in text and "two.png" not in text
    assert 'src="quality/sub-01_ses-1.png"' in text_of(made, "sub-01_ses-1")


def test_both_indices_name_the_scans_that_were_left_out(study):
    for path in (study.pages / "index.html", study.pages.parent / "index.html"):
        text = html.unescape(re.sub(r"\s+", " ", path.read_text(encoding="utf-8")))
        assert "2 scans were left out and have no page" in text
        assert "<li>Mine T2, three (listing): the file is <cut> short</li>" in text
        assert "<li>Mine T2, four_ses-2 (registered): no brain was found</li>" in text


def test_nothing_is_said_where_no_scan_was_left_out(tmp_path):
    made = small_study(tmp_path)
    for table in (made.subjects, made.left_out):
        lines = table.read_text().splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(("three", "four"))]
        table.write_text("".join(kept))
    write_scan_pages.main(**made.inputs())
    assert "left out" not in text_of(made, "index")


def test_a_scan_whose_preprocessing_stands_out_is_marked(study):
    why = "overlap 61 % is low"
    for path in (study.pages / "index.html", study.pages.parent / "index.html"):
        rows = path.read_text(encoding="utf-8").split("<tr>")
        (marked,) = [row for row in rows if "its preprocessing stands out" in row]
        assert "sub-01_ses-1.html" in marked and why in marked
    assert f"preprocessing of this scan stands out:</strong> {why}." in text_of(
        study, "sub-01_ses-1"
    )
    assert "stands out:" not in text_of(study, "sub-01_ses-2")


def test_the_most_anomalous_scan_comes_first(study):
    for path in (study.pages / "index.html", study.pages.parent / "index.html"):
        names = re.findall(r'class="name" href="([^"]*)"', path.read_text(encoding="utf-8"))
        folder = "" if path.parent == study.pages else "mine_t2/"
        order = ["sub-two", "sub-01_ses-1", "sub-01_ses-2"]
        assert names == [f"{folder}{name}.html" for name in order]
    results = read_results(study.folder)
    assert [result.percentile for result in results[:2]] == [99.0, 97.5]
    assert np.isnan(results[2].percentile)


def coloured(picture: Path) -> np.ndarray:
    """Rows and columns of the pixels that are not grey, as shares of the picture's edges."""
    pixels = np.asarray(Image.open(picture).convert("RGB")).astype(int)
    places = np.argwhere(pixels[..., 0] - pixels[..., 2] > 80)
    return places / pixels.shape[:2]


def test_pictures_show_the_largest_candidate_on_its_side(study):
    pictures = study.pages / "pictures"
    # The patient's left is at the right, the front at the top.
    row, column = coloured(pictures / "sub-01_ses-1.jpg").mean(axis=0)
    assert column > 0.6 and row < 0.45
    row, column = coloured(pictures / "sub-01_ses-2.jpg").mean(axis=0)
    assert column < 0.4 and row > 0.55
    assert len(coloured(pictures / "sub-two.jpg")) == 0


def test_a_scan_that_came_registered_is_shown_on_the_grid_of_its_map(tmp_path):
    made = small_study(tmp_path)
    for path in (made.folder / "sub-two").rglob("*space-orig*"):
        path.rename(path.with_name(path.name.replace("space-orig", "space-template")))
    # The file itself is finer, and larger.
    scan, _, _ = head_with_anomalies()
    affine = scan.affine @ np.diag([0.5, 0.5, 0.5, 1.0])
    fine = np.repeat(np.repeat(np.repeat(scan.data, 2, 0), 2, 1), 2, 2)
    write_volume(Volume(fine, affine), tmp_path / "raw" / "sub-two.nii.gz")
    write_scan_pages.main(**made.inputs())
    shown = embedded(made, "sub-two")
    np.testing.assert_array_equal(image_of(shown["scan"]).affine, image_of(shown["map"]).affine)


def test_a_map_on_another_grid_than_its_scan_is_refused(tmp_path):
    made = small_study(tmp_path)
    scan, _, _ = head_with_anomalies()
    write_volume(Volume(scan.data[:, :, 1:], scan.affine), tmp_path / "raw" / "sub-two.nii.gz")
    with pytest.raises(ScanError, match=r"sub-two_space-orig_desc-cddpmens_anomalymap\.nii\.gz"):
        write_scan_pages.main(**made.inputs())
    assert not made.pages.exists()
