"""HD-BET 1 as it comes, in its real environment: a drawn head, a real scan."""

import os
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainuad.images.geometry import labels_on
from brainuad.images.volumes import Volume, read_labels
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

SPACING = 1.5  # mm, that of HD-BET's networks: neither its own function nor ours resamples the mask
SUBJECT = "patient01"
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
        "validation": 3,
        "test": 1,
    }
    # A study needs patients; nothing is asked of them here.
    patients = {"root": str(root), "modalities": ["t1"], "archives": [], "validation": 1}
    changes = {
        "phantoms": None,
        "keep_intermediate": True,
        "template": {"image": None},
        "datasets": {**dict.fromkeys(("ixi", *LESION_SETS)), "heads": heads, "mslub": patients},
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


@pytest.fixture(scope="module")
def heads(tmp_path_factory) -> Path:
    """A drawn head with its skull, its axes in another order and backwards, as scanners write them.

    It lies aside in its field of view, so that no mirrored mask fits.
    """
    root = tmp_path_factory.mktemp("heads")
    settings = PhantomSettings(subjects=1, spacing=(2.0, 2.0, 2.0))
    write_subject(load_template(), root, dataset=Dataset.MSLUB, index=0, settings=settings, seed=7)
    scan = root / SUBJECT / f"{SUBJECT}_T1W.nii.gz"
    aside = nib.load(scan).slicer[10:]
    orientations = (
        nib.orientations.io_orientation(aside.affine),
        nib.orientations.axcodes2ornt("PSL"),
    )
    nib.save(aside.as_reoriented(nib.orientations.ornt_transform(*orientations)), scan)
    return root


@pytest.fixture(scope="module")
def stripped(tmp_path_factory, snakemake, heads) -> Path:
    """A working directory in which it went through the rules up to the stripped scan."""
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


def brain_mask(directory: Path, subject: str) -> Volume:
    return read_labels(directory / CHUNK / subject / "brain_mask.nii.gz", expected=(1,))


def test_mask_is_the_brain(stripped, heads):
    mask = brain_mask(stripped, SUBJECT)
    brain = read_labels(heads / SUBJECT / f"{SUBJECT}_brainmask.nii.gz", expected=(1,))
    assert dice(mask.data > 0, labels_on(brain, mask).data > 0) > 0.95


def test_mask_is_that_of_the_package(stripped, snakemake):
    found = brain_mask(stripped, SUBJECT).data > 0
    np.testing.assert_array_equal(found, reference_mask(snakemake, stripped, SUBJECT))


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
    mask = brain_mask(directory, "sub-03").data > 0
    assert 1000 < np.count_nonzero(mask) / 1000 < 1800
    assert dice(mask, reference_mask(snakemake, directory, "sub-03")) > 0.98
