"""Every kind of unusable file gives one line that names it; a good one comes back as written."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from brainuad.images.volumes import Volume, read_labels, read_mask, read_volume, write_volume
from brainuad.io.errors import ScanError

AFFINE = np.array([[-1.0, 0, 0, 20], [0, 2, 0, -30], [0, 0, 3, -10], [0, 0, 0, 1]])


def values(shape=(6, 5, 4)):
    return np.random.default_rng(0).normal(100, 10, shape).astype(np.float32)


def save(path, data, affine=AFFINE, change=None):
    image = nib.Nifti1Image(data, affine)
    if change is not None:
        change(image.header)
    content = image.to_bytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def with_pixdim(path, value):
    """nibabel refuses to write such a header, so the bytes are changed: pixdim[3] is at 88."""
    content = bytearray(nib.Nifti1Image(values(), AFFINE).to_bytes())
    content[88:92] = np.float32(value).tobytes()
    path.write_bytes(bytes(content))


def without_codes(path):
    content = bytearray(nib.Nifti1Image(values(), AFFINE).to_bytes())
    content[252:256] = bytes(4)
    path.write_bytes(bytes(content))


def with_singular_affine(path):
    content = bytearray(nib.Nifti1Image(values(), AFFINE).to_bytes())
    content[280:296] = bytes(16)
    path.write_bytes(bytes(content))


def with_nan(path):
    data = values()
    data[1, 2, 3] = np.nan
    data[0, 0, 0] = np.inf
    save(path, data)


def cut(path, *, keep, compressed):
    content = nib.Nifti1Image(values((20, 20, 20)), AFFINE).to_bytes()
    content = gzip.compress(content) if compressed else content
    path.write_bytes(content[: int(len(content) * keep)])


def corrupted(path):
    content = bytearray(gzip.compress(nib.Nifti1Image(values((20, 20, 20)), AFFINE).to_bytes()))
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))


def with_huge_shape(path):
    """The header claims 300 voxels along each axis: dim[1] to dim[3] are at 42."""
    content = bytearray(nib.Nifti1Image(values(), AFFINE).to_bytes())
    content[42:48] = np.full(3, 300, np.int16).tobytes()
    path.write_bytes(bytes(content))


def with_colours(path):
    save(path, np.ones((6, 5, 4), np.dtype([(channel, np.uint8) for channel in "RGB"])))


BROKEN = {
    "missing": (lambda path: None, "does not exist"),
    "folder": (lambda path: path.mkdir(), "cannot be read"),
    "empty": (lambda path: path.write_bytes(b""), "empty"),
    "cut gzip": (lambda path: cut(path, keep=0.6, compressed=True), "cut short"),
    "cut gzip header": (lambda path: path.write_bytes(gzip.compress(b"x" * 90)[:14]), "cut short"),
    "cut file": (lambda path: cut(path, keep=0.6, compressed=False), "cut short"),
    "cut header": (lambda path: cut(path, keep=0.004, compressed=False), "cut short"),
    "huge shape": (with_huge_shape, "cut short"),
    "colours": (with_colours, "colours or complex"),
    "complex": (lambda path: save(path, values().astype(np.complex64)), "colours or complex"),
    "damaged": (corrupted, "damaged"),
    "text": (lambda path: path.write_text("an error page, not a scan\n"), "not a NIfTI"),
    "4-D": (lambda path: save(path, values((6, 5, 4, 3))), "4 dimensions"),
    "2-D": (lambda path: save(path, values((6, 5))), "2 dimensions"),
    "one slice": (lambda path: save(path, values((6, 5, 1))), "single slice"),
    "zero spacing": (lambda path: with_pixdim(path, 0), "not positive"),
    "negative spacing": (lambda path: with_pixdim(path, -3), "not positive"),
    "NaN spacing": (lambda path: with_pixdim(path, np.nan), "not positive"),
    "no affine": (without_codes, "no position in space"),
    "singular affine": (with_singular_affine, "cannot be inverted"),
    "NaN": (with_nan, "2 of 120 voxels are NaN or infinite"),
    "constant": (lambda path: save(path, np.full((6, 5, 4), 7, np.int16)), "value 7"),
    "zero": (lambda path: save(path, np.zeros((6, 5, 4), np.int16)), "value 0"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_file_gives_one_line_that_names_it(tmp_path, kind):
    path = tmp_path / "scan.nii.gz"
    make, what = BROKEN[kind]
    make(path)
    with pytest.raises(ScanError, match=what) as raised:
        read_volume(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert ";" in message, "the message says what to do"


def test_no_damage_to_the_header_gives_another_error(tmp_path):
    generator = np.random.default_rng(0)
    whole = nib.Nifti1Image(values().astype(np.int16), AFFINE).to_bytes()
    path = tmp_path / "scan.nii"
    outcomes = {"used": 0, "left out": 0}
    for _ in range(600):
        content = bytearray(whole)
        for place in generator.integers(0, 352, 3):
            content[place] = generator.integers(0, 256)
        path.write_bytes(content)
        try:
            volume = read_volume(path)
            assert volume.data.ndim == 3
            assert np.isfinite(volume.data).all()
            outcomes["used"] += 1
        except ScanError as error:
            assert str(error).startswith(f"{path}: ")
            assert "\n" not in str(error)
            outcomes["left out"] += 1
    assert min(outcomes.values()) > 50


def test_half_of_the_maximum_below_zero_is_no_scan_but_ringing_is(tmp_path):
    data = values()
    data.flat[0] = -0.2 * data.max()
    read_volume(save(tmp_path / "ringing.nii.gz", data))
    data.flat[0] = -0.5 * data.max()
    path = save(tmp_path / "scan.nii.gz", data)
    with pytest.raises(ScanError, match="a magnitude image cannot"):
        read_volume(path)
    np.testing.assert_array_equal(read_mask(path).data, data)


def test_what_nibabel_cannot_turn_into_numbers_is_one_line(tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise TypeError("no such\nconversion")

    path = save(tmp_path / "scan.nii.gz", values())
    monkeypatch.setattr(nib.Nifti1Image, "get_fdata", fail)
    with pytest.raises(ScanError, match=r"scan.nii.gz: .* \(no such conversion\); export"):
        read_volume(path)


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
def test_written_volume_comes_back(tmp_path, name):
    volume = Volume(values(), AFFINE)
    write_volume(volume, tmp_path / name)
    back = read_volume(tmp_path / name)
    np.testing.assert_array_equal(back.data, volume.data)
    np.testing.assert_allclose(back.affine, AFFINE)
    np.testing.assert_allclose(back.spacing, [1, 2, 3])


def test_same_volume_gives_same_bytes(tmp_path):
    for name in ("one", "two"):
        write_volume(Volume(values(), AFFINE), tmp_path / name / "scan.nii.gz")
    one, two = ((tmp_path / name / "scan.nii.gz").read_bytes() for name in ("one", "two"))
    assert one == two
    assert one[4:8] == bytes(4), "no time stamp in the gzip header"


def test_scaled_integers_and_nifti2_and_a_last_axis_of_one(tmp_path):
    def scale(header):
        header.set_slope_inter(0.5, 10)

    whole = np.arange(120, dtype=np.int16).reshape(6, 5, 4)
    path = save(tmp_path / "scaled.nii.gz", whole, change=scale)
    # nibabel's own reader, as the reference for slope and intercept
    np.testing.assert_allclose(read_volume(path).data, nib.load(path).get_fdata())
    second = tmp_path / "two.nii"
    second.write_bytes(nib.Nifti2Image(values()[..., None], AFFINE).to_bytes())
    np.testing.assert_array_equal(read_volume(second).data, values())


def test_qform_alone_places_the_scan(tmp_path):
    def only_qform(header):
        header.set_qform(AFFINE, code=1)
        header.set_sform(None, code=0)

    path = save(tmp_path / "scan.nii.gz", values(), change=only_qform)
    np.testing.assert_allclose(read_volume(path).affine, AFFINE, atol=1e-5)


def lesions(shape=(6, 5, 4)):
    data = np.zeros(shape, np.uint8)
    data[2:4, 2, 1:3] = 1
    return data


def test_labels_come_back_and_may_be_empty(tmp_path):
    path = save(tmp_path / "seg.nii.gz", lesions())
    read = read_labels(path, expected=(1,), grid=Volume(values(), AFFINE))
    assert read.data.dtype == np.uint8
    np.testing.assert_array_equal(read.data, lesions())
    empty = save(tmp_path / "empty.nii.gz", np.zeros((6, 5, 4), np.uint8))
    assert read_labels(empty, expected=(1,)).data.sum() == 0


def test_labels_above_255(tmp_path):
    data = lesions().astype(np.uint16) * 1000
    data[0, 0, 0] = 256
    path = save(tmp_path / "seg.nii.gz", data)
    np.testing.assert_array_equal(read_labels(path, expected=(256, 1000)).data, data)
    # 1000 is not 232, which is what is left of it in 8 bits.
    for expected, unexpected in (((232, 256), 1000), ((1000, 2000), 256)):
        with pytest.raises(ScanError, match=f"unexpected label {unexpected}; expected only 0, "):
            read_labels(path, expected=expected)
    with pytest.raises(ScanError, match="unexpected label 1000; expected only 0 to 300, check"):
        read_labels(path, expected=range(1, 301))


@pytest.mark.parametrize("value", [2, -1, 0.5, 300])
def test_unexpected_label_is_named(tmp_path, value):
    data = lesions().astype(np.float32)
    data[0, 0, 0] = value
    path = save(tmp_path / "seg.nii.gz", data)
    with pytest.raises(ScanError, match=f"unexpected label {value:g}; expected only 0, 1,"):
        read_labels(path, expected=(1,))


def test_mask_on_another_grid_is_refused(tmp_path):
    scan = Volume(values(), AFFINE)
    with pytest.raises(ScanError, match=r"seg.nii.gz: the mask has the shape \(6, 5, 5\)"):
        read_labels(save(tmp_path / "seg.nii.gz", lesions((6, 5, 5))), expected=(1,), grid=scan)
    moved = AFFINE.copy()
    moved[0, 3] += 1
    path = save(tmp_path / "moved.nii.gz", lesions(), affine=moved)
    with pytest.raises(ScanError, match="lies up to 1 mm away"):
        read_labels(path, expected=(1,), grid=scan)
    rounded = AFFINE + 1e-3
    path = save(tmp_path / "rounded.nii.gz", lesions(), affine=np.vstack([rounded[:3], AFFINE[3]]))
    read_labels(path, expected=(1,), grid=scan)
