"""The template: a stripped T1 brain is taken up in RAS; everything else is one line."""

import gzip
import hashlib

import nibabel as nib
import numpy as np
import pytest
from nilearn.datasets import load_mni152_template

import check_template
from brainuad.images.volumes import Volume
from brainuad.io import tables
from brainuad.io.errors import SettingsError
from brainuad.phantoms.acquisition import Contrast, grid_axes, ideal_image, world_affine
from brainuad.phantoms.anatomy import average_head, tissues_on
from brainuad.phantoms.template import TEMPLATE_ORIGIN, TEMPLATE_SHAPE, load_template
from brainuad.preprocessing.template import check_brain, depth_of_thirds


@pytest.fixture(scope="module")
def average():
    template = load_template()
    return template, average_head(template)


def phantom(average, *, spacing: float, contrast: Contrast = Contrast.T1, stripped: bool = True):
    """The template's head or brain as a volume in RAS, as scripts/make_template.py makes it."""
    template, head = average
    extent = np.array(TEMPLATE_SHAPE, float)
    axes = grid_axes(
        field_of_view=tuple(extent),
        spacing=(spacing,) * 3,
        centre=tuple(np.array(TEMPLATE_ORIGIN) + (extent - 1) / 2),
    )
    tissues = tissues_on(template, head, axes, stripped=stripped)
    image = ideal_image(tissues, contrast, rng=np.random.default_rng(0), spread=0.0)
    if stripped:
        image = image * tissues.brain
    scaled = np.rint(1000 * np.maximum(image, 0)).astype(np.float32)
    return Volume(scaled, world_affine(axes, pose=np.eye(3), shift=np.zeros(3)))


@pytest.mark.parametrize("spacing", [1.0, 4.0])
def test_t1_brain_is_taken(average, spacing):
    found = check_brain(phantom(average, spacing=spacing), spacing=spacing, name="template")
    assert found.modality == "T1"
    # nilearn's own mask of this template has 1882 ml; the phantom's leaves out open sulci.
    assert 1700 < found.volume < 1900


@pytest.mark.parametrize("step", [1, 4])
def test_icbm152_brain_is_taken(step):
    image = load_mni152_template(resolution=1)
    data = np.asarray(image.dataobj, dtype=np.float32)[::step, ::step, ::step]
    affine = image.affine @ np.diag([step, step, step, 1])
    assert check_brain(Volume(data, affine), spacing=step, name="template").modality == "T1"


@pytest.mark.parametrize("spacing", [1.0, 4.0])
@pytest.mark.parametrize("contrast", [Contrast.T2, Contrast.FLAIR])
def test_other_contrast_is_refused(average, spacing, contrast):
    brain = phantom(average, spacing=spacing, contrast=contrast)
    with pytest.raises(SettingsError, match=r"^template: .* it is not T1"):
        check_brain(brain, spacing=spacing, name="template")


@pytest.mark.parametrize("spacing", [1.0, 4.0])
@pytest.mark.parametrize(
    ("background", "reason"),
    [("air", "only 0 % of its voxels are 0"), ("zero", "ml, but a brain has 600")],
)
def test_head_is_refused(average, spacing, background, reason):
    head = phantom(average, spacing=spacing, stripped=False)
    if background == "zero":  # as templates of whole heads often have it
        head = Volume(np.where(head.data > 50, head.data, 0), head.affine)
    with pytest.raises(SettingsError, match=reason):
        check_brain(head, spacing=spacing, name="template")


def test_other_voxel_size_is_refused(average):
    with pytest.raises(SettingsError, match=r"has voxels of 4 x 4 x 4 mm, preprocessing.spacing"):
        check_brain(phantom(average, spacing=4.0), spacing=1.0, name="template")


def test_mask_is_no_t1(average):
    brain = phantom(average, spacing=4.0)
    mask = Volume((brain.data > 0).astype(np.float32), brain.affine)
    with pytest.raises(SettingsError, match="it is not T1"):
        check_brain(mask, spacing=4.0, name="template")


def test_depth_of_thirds_of_a_cube():
    # 27 voxels: a centre at depth 2, and a shell at depth 1 with two values.
    brain = np.zeros((5, 5, 5), np.uint8)
    brain[1:4, 1:4, 1:4] = 1
    data = np.zeros((5, 5, 5), np.float32)
    data[1:4, 1:4, 1:4] = np.arange(1, 28).reshape(3, 3, 3)
    data[2, 2, 2] = 100  # the centre belongs to the brightest third, of nine voxels
    assert depth_of_thirds(data, brain) == pytest.approx((1, 1, 10 / 9))


def write(volume: Volume, path, *, orientation: str, trailing_axis: bool = False):
    image = nib.Nifti1Image(volume.data.astype(np.int16), volume.affine)
    turn = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(orientation)
    )
    image = image.as_reoriented(turn)
    if trailing_axis:
        image = nib.Nifti1Image(np.asarray(image.dataobj)[..., None], image.affine)
    nib.save(image, path)


def run(folder, image, **settings):
    return check_template.main(
        image=image,
        template=folder / "brain.nii.gz",
        facts=folder / "facts.tsv",
        **{"spacing": 4.0, "sha256": None, "source": "SRI24, fetched"} | settings,
    )


@pytest.mark.parametrize("orientation", ["RAS", "LPS", "PSR"])
def test_template_is_written_upright(average, tmp_path, orientation):
    """SRI24 comes as 240 x 240 x 155 x 1, in one orientation or another."""
    brain = phantom(average, spacing=4.0)
    image = tmp_path / "spgr.nii"
    write(brain, image, orientation=orientation, trailing_axis=orientation == "LPS")
    run(tmp_path, image, sha256=hashlib.sha256(image.read_bytes()).hexdigest())
    written = nib.load(tmp_path / "brain.nii.gz")
    assert written.get_data_dtype() == np.float32
    np.testing.assert_array_equal(written.get_fdata(), brain.data)
    np.testing.assert_allclose(written.affine, brain.affine)
    facts = tables.read_table(tmp_path / "facts.tsv").set_index("name")["value"]
    volume = float(facts.pop("brain_ml"))
    assert 1700 < volume < 1900
    assert facts.to_dict() == {
        "source": "SRI24, fetched",
        "sha256": hashlib.sha256(image.read_bytes()).hexdigest(),
        "orientation": orientation,
        "shape": "58 x 47 x 49" if orientation == "PSR" else "49 x 58 x 47",
        "voxel_size_mm": "4 x 4 x 4",
        "modality": "T1",
    }


def test_same_template_gives_the_same_bytes(average, tmp_path):
    write(phantom(average, spacing=4.0), tmp_path / "template.nii.gz", orientation="LPS")
    contents = []
    for _ in range(2):
        run(tmp_path, tmp_path / "template.nii.gz")
        contents.append([(tmp_path / name).read_bytes() for name in ("brain.nii.gz", "facts.tsv")])
    assert contents[0] == contents[1]


def test_another_file_than_the_config_expects_is_refused(average, tmp_path):
    write(phantom(average, spacing=4.0), tmp_path / "template.nii", orientation="RAS")
    with pytest.raises(SettingsError, match=r"template\.sha256: .*, the config expects 000"):
        run(tmp_path, tmp_path / "template.nii", sha256=64 * "0")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>", "is not a NIfTI file"),
        (b"", "the file is empty"),
        (gzip.compress(b"x"), "NIfTI"),
    ],
)
def test_what_is_no_scan_is_refused(tmp_path, content, reason):
    (tmp_path / "template.nii.gz").write_bytes(content)
    with pytest.raises(SettingsError, match=reason) as caught:
        run(tmp_path, tmp_path / "template.nii.gz")
    assert str(caught.value).startswith(f"template.image: {tmp_path / 'template.nii.gz'}")
    assert not (tmp_path / "brain.nii.gz").exists()
