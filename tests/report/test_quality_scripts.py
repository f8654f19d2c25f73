"""From the stages' folders to the pages of quality control."""

import re
import shutil

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import inspect_scans
import write_quality_page
from brainuad.io.tables import read_table, write_table
from brainuad.plan.register.run import QUALITY_CAPTION
from brainuad.preprocessing.outliers import flag_outliers
from brainuad.preprocessing.resampling import Resampling
from brainuad.report.figures import pictures
from brainuad.report.quality.thumbnails import BESIDE_MIDLINE_MM, CELL, Outline, Row, draw_rows

SHAPE = (24, 28, 22)
SPACING = 4.0
LEFT_OUT = ["scan", "stage", "reason"]
NAMES = ["a", "b", "c", "d", "e", "sub 7 ü"]


def head(*, shift=0):
    """An ellipsoid brain with a dark core off the middle, and its mask; moved by voxels along y."""
    x, y, z = np.indices(SHAPE)
    radius = np.sqrt(((x - 11.5) / 10) ** 2 + ((y - 13.5) / 12) ** 2 + ((z - 10.5) / 9) ** 2)
    core = np.sqrt((x - 9.0) ** 2 + (y - 15.0) ** 2 + (z - 11.0) ** 2) < 4
    texture = 0.2 * np.random.default_rng(0).random(SHAPE)
    image = np.where(radius < 1, 1 + 0.5 * (radius > 0.6) - 0.7 * core + texture, 0)
    return (
        np.roll(image, shift, axis=1).astype(np.float32),
        np.roll(radius < 1, shift, axis=1).astype(np.uint8),
    )


def write(folder, *, start=(0, 0, 0), **volumes):
    folder.mkdir(parents=True)
    affine = np.diag([SPACING, SPACING, SPACING, 1.0])
    affine[:3, 3] = SPACING * np.array(start)
    for name, data in volumes.items():
        nib.save(nib.Nifti1Image(data, affine), folder / f"{name}.nii.gz")


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    """Six scans in their stages; of the last the registration and the lesion mask went wrong."""
    root = tmp_path_factory.mktemp("stages")
    image, brain = head()
    write(root / "template", image=image)
    lesions = np.zeros(SHAPE, np.uint8)
    lesions[6:10, 10:14, 8:12] = 1
    for name in NAMES:
        wrong = name == NAMES[-1]
        drawn = np.roll(lesions, 14, axis=1) if wrong else lesions
        write(root / "raw" / name, image=image, lesions=drawn)
        write(root / "brain_masks" / name, brain_mask=brain)
        moved, mask = head(shift=3 if wrong else 0)
        box = tuple(slice(low, high) for low, high in ((2, 22), (2, 28), (2, 20)))
        write(
            root / "corrected" / name,
            start=(2, 2, 2),
            image=moved[box],
            brain_mask=mask[box],
            lesions=drawn[box],
        )
    raw = [
        [name, *(root / "raw" / name / f"{file}.nii.gz" for file in ("image", "lesions"))]
        for name in NAMES
    ]
    write_table(
        pd.DataFrame(raw, columns=["subject", "t1", "seg"]).assign(session=""),
        root / "subjects.tsv",
    )
    rows = [["f", "registered", "too far"]]
    write_table(pd.DataFrame(rows, columns=LEFT_OUT), root / "corrected" / "left_out.tsv")
    return root


def inspect(root, output, *, preprocessed=False, **files):
    resampling = Resampling(
        modality="t1",
        spacing=SPACING,
        lesion_labels=[1],
        ignored_labels=[],
        lesions_on_own_grid=False,
    )
    raw = {
        "table": root / "subjects.tsv",
        "resampling": resampling,
        "brain_masks": root / "brain_masks",
        "template": root / "template" / "image.nii.gz",
    }
    given = {"corrected": root / "corrected"} | (dict.fromkeys(raw) if preprocessed else raw)
    inspect_scans.main(**(given | files), output=output)
    return read_table(output / "measures.tsv").set_index("scan")


@pytest.fixture(scope="module")
def inspected(stages, tmp_path_factory):
    folder = tmp_path_factory.mktemp("inspected") / "chunk000"
    return folder, inspect(stages, folder)


def test_measures_of_each_scan(inspected):
    table = inspected[1]
    assert table.index.tolist() == NAMES
    brain = head()[1]
    assert table["brain_ml"].tolist() == pytest.approx(6 * [brain.sum() * SPACING**3 / 1000])
    assert table["mutual_information"].iloc[0] > 0.95
    assert table["mutual_information"].iloc[-1] < 0.6 * table["mutual_information"].iloc[0]
    assert table["overlap"].iloc[-1] < 0.85 < 0.95 < table["overlap"].iloc[0]
    lesions = np.zeros(SHAPE, np.uint8)
    lesions[6:10, 24:28, 8:12] = 1
    expected = np.count_nonzero(lesions & ~brain.astype(bool)) / np.count_nonzero(lesions)
    assert 0.3 < expected < 1
    assert table["lesion_outside"].tolist() == pytest.approx([0] * 5 + [expected])
    assert table["cut_cm2"].tolist() == [0] * 6


def test_a_scan_that_ends_within_the_brain_is_flagged(stages, tmp_path):
    shutil.copytree(stages, tmp_path / "stages")
    image, brain = head()
    for folder, volumes in {
        "raw": {"image": image, "lesions": np.zeros(SHAPE, np.uint8)},
        "brain_masks": {"brain_mask": brain},
    }.items():
        shutil.rmtree(tmp_path / "stages" / folder / "b")
        # The lowest four slices of the brain were not scanned.
        seen = {name: data[:, :, 6:] for name, data in volumes.items()}
        write(tmp_path / "stages" / folder / "b", start=(0, 0, 6), **seen)
    subjects = read_table(tmp_path / "stages" / "subjects.tsv")
    moved = subjects.replace(str(stages), str(tmp_path / "stages"), regex=True)
    write_table(moved, tmp_path / "stages" / "subjects.tsv")
    table = inspect(tmp_path / "stages", tmp_path / "chunk000")
    expected = np.count_nonzero(brain[:, :, 6]) * SPACING**2 / 100
    assert expected > 20
    assert table["cut_cm2"].tolist() == [0, pytest.approx(expected), 0, 0, 0, 0]
    (why,) = flag_outliers(table.reset_index()).set_index("scan").loc[["b"], "why"]
    assert "cut off" in why


def test_pictures_have_one_size_and_repeat_byte_for_byte(stages, inspected, tmp_path):
    inspect(stages, tmp_path / "again")
    for name in NAMES:
        path = inspected[0] / f"{name}.png"
        assert Image.open(path).size == (3 * CELL + 4, 2 * CELL + 2)
        assert path.read_bytes() == (tmp_path / "again" / f"{name}.png").read_bytes()


def test_scans_that_come_preprocessed_are_not_compared_with_the_template(stages, tmp_path):
    table = inspect(stages, tmp_path / "chunk000", preprocessed=True)
    # Their grid may end at the brain.
    assert table[["mutual_information", "overlap", "cut_cm2"]].isna().all().all()
    assert table[["brain_ml", "intensity_range", "lesion_outside"]].notna().all().all()
    assert Image.open(tmp_path / "chunk000" / "a.png").size == (3 * CELL + 4, CELL)


def test_a_scan_that_cannot_be_read_is_named_and_the_others_are_shown(stages, tmp_path):
    broken = tmp_path / "corrected"
    shutil.copytree(stages / "corrected", broken)
    image = nib.load(broken / "b" / "image.nii.gz")
    spoiled = np.full(image.shape, np.nan, np.float32)
    nib.save(nib.Nifti1Image(spoiled, image.affine), broken / "b" / "image.nii.gz")
    table = inspect(stages, tmp_path / "chunk000", preprocessed=True, corrected=broken)
    assert table.index.tolist() == [name for name in NAMES if name != "b"]
    left_out = read_table(tmp_path / "chunk000" / "left_out.tsv")
    assert left_out["scan"].tolist() == ["f", "b"]
    assert left_out["stage"].tolist() == ["registered", "inspected"]
    assert "NaN" in left_out["reason"][1]
    assert not (tmp_path / "chunk000" / "b.png").exists()


def test_a_scan_on_another_grid_than_the_template_is_said_to_be(stages, tmp_path):
    shutil.copytree(stages / "template", tmp_path / "template")
    template = nib.load(tmp_path / "template" / "image.nii.gz")
    affine = template.affine @ np.diag([0.5, 0.5, 0.5, 1.0])
    nib.save(nib.Nifti1Image(np.asarray(template.dataobj), affine), tmp_path / "template.nii.gz")
    inspect(stages, tmp_path / "chunk000", template=tmp_path / "template.nii.gz")
    reasons = read_table(tmp_path / "chunk000" / "left_out.tsv")["reason"][1:]
    assert len(reasons) == 6
    assert all("lies on another grid than the template" in reason for reason in reasons)
    assert not any("mask" in reason for reason in reasons)


def test_template_may_be_stored_in_any_orientation(stages, inspected, tmp_path):
    template = nib.load(stages / "template" / "image.nii.gz")
    to_lps = nib.orientations.axcodes2ornt("LPS", (("L", "R"), ("P", "A"), ("I", "S")))
    nib.save(template.as_reoriented(to_lps), tmp_path / "template.nii.gz")
    inspect(stages, tmp_path / "chunk000", template=tmp_path / "template.nii.gz")
    assert (tmp_path / "chunk000" / "a.png").read_bytes() == (inspected[0] / "a.png").read_bytes()


def colours_of(picture):
    return np.asarray(picture.convert("RGB"))


def test_right_is_left_and_outlines_lie_on_the_edge():
    data = np.zeros((20, 20, 20), np.float32)
    data[14:18, 14:18, 14:18] = 100  # right, front, top
    mask = data > 0
    row = Row(
        data,
        spacing=np.ones(3),
        centre=(15, 15, 15),
        box=(slice(0, 20),) * 3,
        outlines=(Outline(mask, "#ff0000"),),
    )
    seen = colours_of(draw_rows([row]))
    red = (seen == (255, 0, 0)).all(axis=2)
    # The cube from voxel 14 to 18 of 20, seen from the other end: from 2 to 6.
    middle = round(0.2 * CELL)
    for left in (0, CELL + 2, 2 * (CELL + 2)):
        view = red[:, left : left + CELL]
        for places in np.nonzero(view):
            assert (places.min() / CELL, places.max() / CELL) == pytest.approx((0.1, 0.3), abs=0.02)
        assert not view[middle, middle]
        assert seen[middle, left + middle].tolist() == [255, 255, 255]


def test_a_view_keeps_its_proportions():
    row = Row(
        np.ones((10, 40, 10), np.float32),
        spacing=np.array([2.0, 1.0, 4.0]),
        centre=(5, 20, 5),
        box=(slice(0, 10), slice(0, 40), slice(0, 10)),
        outlines=(),
    )
    grey = colours_of(draw_rows([row]))[:, :, 0] > 250
    # The grid is 20 x 40 x 40 mm: the axial view is half as wide as it is high.
    assert np.ptp(np.nonzero(grey[:, :CELL])[1]) + 1 == CELL // 2
    assert np.ptp(np.nonzero(grey[:, :CELL])[0]) + 1 == CELL


@pytest.fixture(scope="module")
def page(inspected, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    rows = [[name, "scan", "ok", ""] for name in NAMES]
    rows += [
        ["g <h>", "", "left_out", "cut short"],
        ["007", "", "left_out", "excluded by the config"],
    ]
    subjects = pd.DataFrame(rows, columns=["subject", "t2", "status", "reason"]).assign(session="")
    write_table(subjects, folder / "subjects.tsv")
    write_quality_page.main(
        chunks=[inspected[0]],
        subjects=folder / "subjects.tsv",
        page=folder / "page",
        measures=folder / "measures.tsv",
        name="MSLUB T2",
        dataset="mslub",
        modality="t2",
    )
    return folder


def test_table_flags_the_scan_that_went_wrong(page):
    table = read_table(page / "measures.tsv")
    assert table["flagged"].tolist() == [True] + [False] * 5
    assert table["subject"][0] == NAMES[-1]
    for word in ("mutual information", "overlap", "lesion outside"):
        assert word in table["why"][0]
    assert table.columns[-3:].tolist() == ["outlier_score", "flagged", "why"]


def test_page_shows_every_scan_and_needs_nothing_else(page):
    text = (page / "page" / "index.html").read_text(encoding="utf-8")
    assert "http" not in text
    sources = re.findall(r'src="([^"]+)"', text)
    assert sources[0] == "pictures/sub%207%20%C3%BC.png"
    assert len(sources) == len(set(sources)) == 6
    assert sorted(path.stem for path in (page / "page" / "pictures").iterdir()) == sorted(NAMES)
    assert text.count('loading="lazy"') == 6
    assert text.count('class="flagged"') == 2
    assert "6 scans came through the preprocessing; <strong>1 is flagged" in " ".join(text.split())
    beside = f"the sagittal one {BESIDE_MIDLINE_MM:.0f}\u00a0mm to its"
    assert beside in text
    assert f"{BESIDE_MIDLINE_MM:.0f} mm away from the midline" in QUALITY_CAPTION
    for anchor in re.findall(r'href="#([^"]+)"', text):
        assert f'id="{anchor}"' in text


def test_page_says_who_was_left_out_and_how_to_leave_out_more(page):
    text = (page / "page" / "index.html").read_text(encoding="utf-8")
    assert "g &lt;h&gt;" in text and "cut short" in text and "too far" in text
    # What is excluded already stays in the block that is to be copied.
    assert 'exclude: ["007"]' in text


def make_page(folder, measures, *, dataset="ixi", left_out=()):
    chunk = folder / "chunk000"
    chunk.mkdir()
    columns = ["mutual_information", "overlap", "brain_ml", "intensity_range", "lesion_outside"]
    table = pd.DataFrame(measures, columns=["scan", *columns]).assign(cut_cm2=np.nan)
    write_table(table, chunk / "measures.tsv")
    write_table(pd.DataFrame(left_out, columns=LEFT_OUT), chunk / "left_out.tsv")
    for scan in table["scan"]:
        Image.new("L", (30, 20)).save(chunk / f"{scan}.png")
    subjects = pd.DataFrame({"subject": [*table["scan"], *(row[0] for row in left_out)]})
    subjects = subjects.assign(session="", t1="scan", status="ok", reason="")
    write_table(subjects, folder / "subjects.tsv")
    write_quality_page.main(
        chunks=[chunk],
        subjects=folder / "subjects.tsv",
        page=folder / "page",
        measures=folder / "measures.tsv",
        name="IXI T1",
        dataset=dataset,
        modality="t1",
    )
    text = (folder / "page" / "index.html").read_text(encoding="utf-8")
    return " ".join(text.split())


def test_few_preprocessed_scans_without_lesions(tmp_path):
    nan = float("nan")
    text = make_page(tmp_path, [["one", nan, nan, 1400, 1.0, nan], ["two", nan, nan, 1, 9.0, nan]])
    assert "2 scans came through the preprocessing; none is flagged. Fewer than 5 are" in text
    assert "so they were not judged." in text
    assert "was not registered here" in text
    assert "Lower row" not in text and "Lesion outside" not in text and "Overlap" not in text
    assert 'width="30" height="20"' in text


def test_what_is_beyond_a_limit_is_flagged_among_few(tmp_path):
    text = make_page(tmp_path, [["one", 0.2, 0.6, 1400, 1.0, 0.0], ["two", 0.2, 0.9, 1, 9.0, 0.0]])
    assert "<strong>1 is flagged and should be looked at.</strong> Fewer than 5 are" in text
    assert "so they were held against fixed limits alone." in text
    assert "<span>outlier score \u221e, flagged</span>" in text
    assert "overlap with the template below 80.0 %, lesion outside above 50.0 %" in text


def test_none_is_flagged_claims_no_more(tmp_path):
    rows = [[f"s{place}", 0.2, 0.9, 1400, 1.0, 0.0] for place in range(5)]
    text = make_page(tmp_path, rows)
    assert "5 scans came through the preprocessing; none is flagged. The highest outlier" in text


def test_a_scan_that_only_inspection_could_not_measure_is_flagged_as_used(tmp_path):
    rows = [[f"s{place}", 0.2, 0.9, 1400, 1.0, float("nan")] for place in range(5)]
    left_out = [["a", "registered", "too far"], ["b <c>", "inspected", "another grid"]]
    text = make_page(tmp_path, rows, left_out=left_out)
    assert "6 scans came through the preprocessing; <strong>1 is flagged" in text
    page, before = text.split("Left out before this page")
    assert "used, but could not be measured: another grid" in page
    assert 'value="b &lt;c&gt;"' in page, "it can be ticked to be left out"
    # The script pairs pictures and rows by their order.
    assert page.count("<figure id=") == page.split('id="table"')[1].count("<tr") - 1 == 6
    assert page.count("<img ") == 5 and "b%20%3Cc%3E.png" not in page
    assert "too far" in before and "another grid" not in before
    table = read_table(tmp_path / "measures.tsv")
    assert table["subject"].tolist() == ["b <c>", "s0", "s1", "s2", "s3", "s4"]
    assert table["flagged"].tolist() == [True] + [False] * 5
    assert table["why"][0] == "used, but could not be measured: another grid"
    assert table.loc[0, ["overlap", "brain_ml"]].isna().all()


def test_no_scan_could_be_measured(tmp_path):
    text = make_page(tmp_path, [], left_out=[["b", "inspected", "another grid"]])
    assert "1 scan came through the preprocessing; <strong>1 is flagged" in text
    assert "<img " not in text and "was not registered here" not in text
    assert read_table(tmp_path / "measures.tsv")["flagged"].tolist() == [True]


def test_no_scan_at_all(tmp_path):
    text = make_page(tmp_path, [])
    assert "No scan came through the preprocessing." in text
    assert "<script" not in text
    assert read_table(tmp_path / "measures.tsv").empty


def test_colours_on_the_page_are_those_of_the_pictures(page, inspected):
    text = (page / "page" / "index.html").read_text(encoding="utf-8")
    shown = {
        tuple(colour) for colour in colours_of(Image.open(inspected[0] / "a.png")).reshape(-1, 3)
    }
    legend = re.findall(r"border-color:#(\w{6})", text)
    assert len(set(legend)) == 3
    assert pictures.MASK_COLOUR.removeprefix("#") in legend
    for colour in legend:
        assert tuple(bytes.fromhex(colour)) in shown
