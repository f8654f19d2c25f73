"""HD-BET 1 as it comes, in its real environment: a drawn head, an average brain, real scans."""

import os
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nilearn.datasets import load_mni152_brain_mask, load_mni152_template

from brainuad.images.geometry import labels_on
from brainuad.images.volumes import read_labels
from brainuad.phantoms.layouts import Dataset, PhantomSettings, write_subject
from brainuad.phantoms.template import load_template
from conftest import (
    LESION_SETS,
    MINIATURE,
    PROJECT,
    demo_config,
    make_working_directory,
    merged,
)

SPACING = 1.5  # mm, that of HD-BET's networks: neither its own function nor ours resamples
CHUNK = Path("results/stripped/heads_t1/chunk000")
REAL_SCANS = Path(os.environ.get("BRAINUAD_REAL_SCANS", PROJECT.parent / "shared" / "real"))
# What the package itself finds: a rule of the test's own, in the environment of the rules.
REFERENCE = f"""
rule reference:
    input:
        scan=config["scan"],
    output:
        mask="reference.nii.gz",
    conda:
        "{PROJECT}/envs/hdbet1.yaml"
    shell:
        "python '{PROJECT}/tests/workflow/hdbet1_reference.py' {{input.scan}} {{output.mask}}"
"""


def directory_with(
    folder: Path, *, root: Path, pattern: str, spacing: float, exclude: Sequence[str] = ()
) -> Path:
    """A working directory whose heads are stripped by one network without mirroring, on a CPU."""
    heads = {
        "root": str(root),
        "layout": "files",
        "files": {"t1": pattern},
        "modalities": ["t1"],
        "skull_stripping": "hdbet",
        "exclude": list(exclude),
        "healthy": True,
        "validation": 1,
        "test": 1,
    }
    changes = {
        "phantoms": None,
        "template": {"image": None},
        "datasets": {**dict.fromkeys(("ixi", *LESION_SETS)), "heads": heads},
        "preprocessing": {"spacing": spacing},
        "threads_per_training": 2,
    }
    return make_working_directory(folder, merged(merged(demo_config(), MINIATURE), changes))


def reference_mask(snakemake, directory: Path, subject: str) -> np.ndarray:
    """The mask that the package finds on the resampled scan of a subject."""
    scan = directory / "results/resampled/heads_t1/chunk000" / subject / "image.nii.gz"
    (directory / "reference.smk").write_text(REFERENCE)
    options = ["--snakefile", str(directory / "reference.smk"), "--config", f"scan={scan}"]
    snakemake(directory, *options)
    return np.asarray(nib.load(directory / "reference.nii.gz").dataobj) > 0


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


def write_average(folder: Path) -> None:
    """ICBM152 with its brain mask, its axes in another order and backwards, as scanners write them.

    It lies aside in its field of view, so that no mirrored mask fits.
    """
    folder.mkdir()
    for name, image in (
        ("T1W", load_mni152_template(resolution=1)),
        ("brainmask", load_mni152_brain_mask(resolution=1)),
    ):
        aside = np.roll(image.get_fdata(dtype=np.float32), (20, -15, 25), axis=(0, 1, 2))
        orientations = [
            nib.orientations.io_orientation(image.affine),
            nib.orientations.axcodes2ornt("PSL"),
        ]
        turned = nib.Nifti1Image(aside, image.affine).as_reoriented(
            nib.orientations.ornt_transform(*orientations)
        )
        nib.save(turned, folder / f"{folder.name}_{name}.nii.gz")


@pytest.fixture(scope="module")
def heads(tmp_path_factory) -> Path:
    """An average brain, which came without its skull, and a drawn head with its skull."""
    root = tmp_path_factory.mktemp("heads")
    write_average(root / "average")
    settings = PhantomSettings(subjects=1, spacing=(2.0, 2.0, 2.0))
    write_subject(load_template(), root, dataset=Dataset.MSLUB, index=0, settings=settings, seed=7)
    return root


@pytest.fixture(scope="module")
def stripped(tmp_path_factory, snakemake, heads) -> Path:
    """A working directory in which both went through the rules up to the stripped scans."""
    home = tmp_path_factory.mktemp("home")
    directory = directory_with(
        tmp_path_factory.mktemp("stripped") / "study",
        root=heads,
        pattern="{subject}/{subject}_T1W.nii.gz",
        spacing=SPACING,
    )
    snakemake(directory, str(CHUNK), "--conda-create-envs-only")
    with pytest.MonkeyPatch.context() as patch:
        # The package's own place for its weights, were it to look or to download there.
        patch.setenv("HOME", str(home))
        patch.setenv("https_proxy", "http://127.0.0.1:9")
        snakemake(directory, str(CHUNK))
    assert not list(home.rglob("HD-BET*"))
    return directory


@pytest.mark.parametrize("subject", ["average", "patient01"])
def test_masks_are_the_brains(stripped, heads, subject):
    mask = read_labels(stripped / CHUNK / subject / "brain_mask.nii.gz", expected=(1,))
    truth = read_labels(heads / subject / f"{subject}_brainmask.nii.gz", expected=(1,))
    assert dice(mask.data > 0, labels_on(truth, mask).data > 0) > 0.95


def test_masks_are_those_of_the_package(stripped, snakemake):
    mask = read_labels(stripped / CHUNK / "patient01" / "brain_mask.nii.gz", expected=(1,))
    np.testing.assert_array_equal(mask.data > 0, reference_mask(snakemake, stripped, "patient01"))


@pytest.mark.skipif(not REAL_SCANS.is_dir(), reason=f"no real scans in {REAL_SCANS}")
def test_clinical_scan_loses_its_skull(tmp_path, snakemake):
    """Slices of 3 mm, oblique; on voxels of 1 mm the package's own mask may lie a voxel aside."""
    directory = directory_with(
        tmp_path / "study",
        root=REAL_SCANS / "ms_raw",
        pattern="{subject}/ses-1/anat/{subject}_ses-1_T2w.nii.gz",
        spacing=1.0,
        exclude=["sub-01"],
    )
    snakemake(directory, str(CHUNK))
    mask = read_labels(directory / CHUNK / "sub-03" / "brain_mask.nii.gz", expected=(1,))
    assert 1000 < np.count_nonzero(mask.data) / 1000 < 1800
    assert dice(mask.data > 0, reference_mask(snakemake, directory, "sub-03")) > 0.98
