"""A small head in an MSLUB folder, and the ways in which its files can be broken or odd.

Each way is a function of the patient's folder, or makes one.
"""

import gzip
import shutil
import struct

import nibabel as nib
import numpy as np

SHAPE = (20, 24, 16)
AFFINE = np.array([[2.0, 0, 0, -19], [0, 2, 0, -23], [0, 0, 3, -22.5], [0, 0, 0, 1]])
BALL = np.array([-8.0, 6, 7.5])  # left, front, top
SCAN, MASK = "patient01_T2W.nii.gz", "patient01_consensus_gt.nii.gz"
# Positions in the header of NIfTI-1.
DIM, VOXEL_START, SLOPE, XYZT_UNITS = 40, 108, 112, 123
PIXDIM, VOXEL_TYPE, FORM_CODES, QUATERNION, SROW, MAGIC = 80, 70, 252, 256, 280, 344
HANDEDNESS = 76
VOXEL_START_OF_NIFTI_2 = 168


def head_at(points):
    """A head of 34 x 40 x 40 mm with a bright ball on one side, at RAS points [..., 3]."""
    inside = np.linalg.norm(points / (17, 20, 20), axis=-1) < 1
    ball = np.exp(-((points - BALL) ** 2).sum(axis=-1) / (2 * 4.0**2))
    return np.where(inside, 300 + 5 * points[..., 1] + 2000 * ball, 0)


def points_of(affine=AFFINE, shape=SHAPE):
    index = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), axis=-1)
    return index @ affine[:3, :3].T + affine[:3, 3]


HEAD = head_at(points_of()).astype(np.int16)
OTHER_HEAD = head_at(points_of() * 1.1).astype(np.int16)
LESION = (np.linalg.norm(points_of() - BALL, axis=-1) < 6).astype(np.uint8)
# A frame of its own: turned by 20 degrees about an axis that is none of the head's.
TILT = nib.affines.from_matvec(
    nib.quaternions.angle_axis2mat(np.deg2rad(20), [1.0, 2, 3]), [5.0, -3, 2]
)


def patch(content, offset, form, *values):
    """The bytes with other header fields than nibabel would write."""
    new = struct.pack(f"<{form}", *values)
    return content[:offset] + new + content[offset + len(new) :]


def stored(data=HEAD, *, name=SCAN, affine=AFFINE, header=None, content=None, form=nib.Nifti1Image):
    """How a file is written: `header` changes nibabel's header, `content` the finished bytes."""

    def write(folder):
        image = form(data, affine)
        if header is not None:
            header(image.header)
        written = image.to_bytes() if content is None else content(image.to_bytes())
        (folder / name).write_bytes(gzip.compress(written) if name == SCAN else written)

    return write


def mask(data, **options):
    return stored(data, name=MASK, **options)


def patched(offset, form, *values):
    """A scan with these header fields."""
    return stored(content=lambda content: patch(content, offset, form, *values))


def big_endian(data, affine):
    return nib.Nifti1Image(data, affine, nib.Nifti1Header(endianness=">"))


def two_members(content):
    """A gzip file of two streams, one behind the other."""
    whole = gzip.decompress(content)
    return gzip.compress(whole[:999]) + gzip.compress(whole[999:])


def file_content(change, name=SCAN):
    """A scan whose file, compressed as it is, is changed."""
    return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes()))


def renamed(name, *, unpacked):
    """The scan under another name."""

    def write(folder):
        content = (folder / SCAN).read_bytes()
        (folder / SCAN).unlink()
        (folder / name).write_bytes(gzip.decompress(content) if unpacked else content)

    return write


def pair(form):
    """Header and voxels in two files."""

    def write(folder):
        (folder / SCAN).unlink()
        nib.save(form(HEAD, AFFINE), folder / "patient01_T2W.img")

    return write


def oriented(codes):
    """The same head with the axes of the file in another order or direction."""
    target = nib.orientations.axcodes2ornt(tuple(codes))
    turn = nib.orientations.ornt_transform(nib.orientations.io_orientation(AFFINE), target)
    affine = AFFINE @ nib.orientations.inv_ornt_aff(turn, SHAPE)

    def write(folder):
        for data, name in ((HEAD, SCAN), (LESION, MASK)):
            stored(nib.orientations.apply_orientation(data, turn), name=name, affine=affine)(folder)

    return write


def sampled(affine, shape):
    """The same head on voxels of another size."""

    def write(folder):
        points = points_of(affine, shape)
        stored(head_at(points).astype(np.int16), affine=affine)(folder)
        ball = (np.linalg.norm(points - BALL, axis=-1) < 6).astype(np.uint8)
        mask(ball, affine=affine)(folder)

    return write


def turned_by_quaternion(length, *, sform):
    """Back to front and left to right by a quaternion (0, 0, 0, length); 1 is half a turn."""
    return with_qform("LPS", QUATERNION, (0, 0, length), sform=sform)


def left_handed(value, *, sform):
    """Left to right, by a qform whose handedness, which should be -1, is another number."""
    return with_qform("LAS", HANDEDNESS, (value,), sform=sform)


def with_qform(codes, offset, values, *, sform):
    """Axes in other directions, by a qform with these values in the header."""
    write = oriented(codes)

    def change(folder):
        write(folder)
        image = nib.load(folder / SCAN)
        data, affine = np.asarray(image.dataobj), image.affine
        stored(
            data,
            affine=affine,
            header=forms(qform=affine, sform=affine if sform else None),
            content=lambda content: patch(content, offset, f"{len(values)}f", *values),
        )(folder)

    return change


def nifti_2_starting_at(position):
    """The scan as NIfTI-2 whose voxels are said to start there; they do at 544."""
    return stored(
        form=nib.Nifti2Image,
        content=lambda content: patch(content, VOXEL_START_OF_NIFTI_2, "q", position),
    )


def without_sform(*quaternion):
    """A scan whose qform has this quaternion, and that has no sform."""
    return stored(
        header=forms(sform=None),
        content=lambda content: patch(content, QUATERNION, "fff", *quaternion),
    )


def in_other_format(suffix, content):
    """A file of another format in the scan's place."""

    def write(folder):
        (folder / SCAN).unlink()
        (folder / SCAN.replace(".nii.gz", suffix)).write_bytes(content)

    return write


def annex_link(folder):
    (folder / SCAN).unlink()
    (folder / SCAN).symlink_to(f"../.git/annex/objects/Xk/2p/{ANNEX_KEY}/{ANNEX_KEY}")


def oblique(folder):
    stored(affine=TILT @ AFFINE)(folder)
    mask(LESION, affine=TILT @ AFFINE)(folder)


def shifted(millimetres):
    """The affine with its second axis moved."""
    affine = AFFINE.copy()
    affine[1, 3] += millimetres
    return affine


def sheared(part):
    """The affine with its second axis leaning towards the first."""
    affine = AFFINE.copy()
    affine[0, 1] += part * affine[1, 1]
    return affine


def forms(*, qform=AFFINE, sform=AFFINE):
    """A change of the header to these; one that is None has the code 0."""

    def change(header):
        header.set_sform(sform, code=1 if sform is not None else 0)
        header.set_qform(qform, code=1 if qform is not None else 0)

    return change


def scaled(slope, intercept=0.0):
    return patched(SLOPE, "ff", slope, intercept)


def with_value(value):
    data = HEAD.astype(np.float32)
    data[3, 4, 5] = value
    return data


def linked(folder):
    """The scan lies beside the patients' folders, with a link to it in its place."""
    (folder / SCAN).rename(folder.parent / "elsewhere.nii.gz")
    (folder / SCAN).symlink_to(folder.parent / "elsewhere.nii.gz")


def broken_link(folder):
    (folder / SCAN).unlink()
    (folder / SCAN).symlink_to(folder.parent / "nowhere.nii.gz")


def in_a_folder(folder):
    (folder / SCAN).unlink()
    (folder / SCAN).mkdir()


def twice(folder):
    shutil.copytree(folder, folder.parent / "copy" / folder.name)


def both_suffixes(folder):
    (folder / "patient01_T2W.nii").write_bytes(gzip.decompress((folder / SCAN).read_bytes()))


def with_label(value):
    data = LESION.astype(np.float32)
    data[0, 0, 0] = value
    return data


def mask_scaled_by_255(folder):
    mask(255 * LESION, content=lambda content: patch(content, SLOPE, "f", 1 / 255))(folder)


ANNEX_KEY = "MD5E-s5242880--d41d8cd98f00b204e9800998ecf8427e.nii.gz"
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 5242880\n"
MGH = nib.MGHImage(HEAD.astype(np.float32), AFFINE).to_bytes()
NRRD = b"NRRD0004\ntype: short\ndimension: 3\nsizes: 20 24 16\nencoding: raw\n\n"
OUTSIDE = np.zeros(SHAPE, np.uint8)
OUTSIDE[:2, :2, :2] = 1
TURNED_AXES = np.ascontiguousarray(LESION[::-1])
TURNED_AFFINE = AFFINE @ nib.orientations.inv_ornt_aff([(0, -1), (1, 1), (2, 1)], SHAPE)
COARSE = np.array([[2.0, 0, 0, -19], [0, 2, 0, -23], [0, 0, 6, -24], [0, 0, 0, 1]])
FINE = np.diag([0.5, 0.5, 0.5, 1.0]) + np.array([[0, 0, 0, -20.0]] * 3 + [[0.0] * 4])


def write_patient(folder, head=HEAD):
    """Scan and mask of one patient; the mask is not compressed, whatever it is called."""
    folder.mkdir(parents=True)
    for write in (stored(head), mask(LESION)):
        write(folder)
    for file in folder.iterdir():
        file.rename(folder / file.name.replace("patient01", folder.name))
