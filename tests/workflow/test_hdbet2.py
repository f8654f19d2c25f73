"""HD-BET 2's real code in its real environment, with a tiny network in the format of its release.

The network is trained for seconds on phantoms whose brains are known; other phantoms then go
through the workflow's rules up to the stripped scans.
"""

import hashlib
import os
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from brainuad.config.phantoms import PhantomSettings
from brainuad.images.geometry import resample, to_ras
from brainuad.images.volumes import Volume, read_labels, read_volume, write_volume
from brainuad.phantoms.layouts import Dataset, write_subject
from brainuad.phantoms.template import load_template
from conftest import (
    LESION_SETS,
    MINIATURE,
    PROJECT,
    demo_config,
    make_working_directory,
    merged,
)

SPACING = 4.0  # mm
HEADS = {"t1": "T1W", "t2": "T2W"}
# Training is no part of the workflow: a rule of the test's own, in the environment of the rules.
TRAINING = f"""
rule train_tiny_hdbet2:
    input:
        heads="heads",
    output:
        release=directory("release"),
    conda:
        "{PROJECT}/envs/hdbet2.yaml"
    shell:
        "python '{PROJECT}/tests/workflow/tiny_hdbet2.py' {{output.release}} {{input.heads}}"
"""


def write_phantoms(root: Path, *, subjects: int, seed: int) -> Path:
    """Heads with their brain masks, in the layout of MSLUB: patient01/patient01_T1W.nii.gz."""
    template = load_template()
    settings = PhantomSettings(subjects=subjects, spacing=(SPACING,) * 3)
    for index in range(subjects):
        write_subject(
            template, root, dataset=Dataset.MSLUB, index=index, settings=settings, seed=seed
        )
    return root


def true_brain(root: Path, subject: str) -> Volume:
    """The phantom's own brain on the grid of the resampled scans."""
    mask = read_labels(root / subject / f"{subject}_brainmask.nii.gz", expected=(1,))
    return resample(to_ras(mask), SPACING, labels=True)


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * np.count_nonzero(one & other) / (np.count_nonzero(one) + np.count_nonzero(other))


@pytest.fixture(scope="session")
def release(tmp_path_factory, snakemake) -> Path:
    """A folder as release_v1.5.0.zip holds it, of a network trained on four heads in T1 and T2."""
    folder = tmp_path_factory.mktemp("tiny_hdbet2")
    root = write_phantoms(folder / "raw", subjects=4, seed=7)
    for case in sorted(root.iterdir()):
        for kind in HEADS.values():
            target = folder / "heads" / f"{case.name}_{kind}"
            head = to_ras(read_volume(case / f"{case.name}_{kind}.nii.gz"))
            write_volume(head, target / "image.nii.gz")
            write_volume(true_brain(root, case.name), target / "brain_mask.nii.gz")
    (folder / "Snakefile").write_text(TRAINING)
    snakemake(folder, "--snakefile", str(folder / "Snakefile"))
    return folder / "release"


def directory_with(folder: Path, *, local: Path, sha256: str | None = None) -> Path:
    """A working directory whose heads, T1 and T2, are stripped by the weights in `local`."""
    scans = {
        "root": "heads",
        "modalities": list(HEADS),
        "layout": "files",
        "files": {
            modality: f"{{subject}}/{{subject}}_{kind}.nii.gz" for modality, kind in HEADS.items()
        },
        "skull_stripping": "hdbet",
    }
    patients = {"root": "heads", "skull_stripping": "hdbet", "archives": [], "validation": 1}
    nowhere = {
        "address": "https://example.org/template.zip",
        "member": "template.nii",
        "sha256": None,
    }
    changes = {
        "phantoms": None,
        "keep_intermediate": True,
        "template": {"archive": nowhere},
        "datasets": {
            **dict.fromkeys(("ixi", *LESION_SETS)),
            "heads": {**scans, "healthy": True, "validation": 3, "test": 1},
            "mslub": patients,
        },
        "hdbet": {
            "version": 2,
            "mirroring": False,
            "weights": {"local": str(local), "sha256": sha256},
        },
    }
    return make_working_directory(folder, merged(merged(demo_config(), MINIATURE), changes))


def chunks(directory: Path) -> list[Path]:
    return [directory / f"results/stripped/heads_{modality}/chunk000" for modality in HEADS]


def strip(snakemake, directory: Path, *options: str) -> None:
    targets = [str(chunk.relative_to(directory)) for chunk in chunks(directory)]
    snakemake(directory, *targets, *options)


@pytest.fixture(scope="session")
def stripped(tmp_path_factory, snakemake, release) -> Path:
    """A working directory with heads stripped in T1 and T2, two jobs at once."""
    home = tmp_path_factory.mktemp("home")
    directory = directory_with(tmp_path_factory.mktemp("stripped") / "study", local=release)
    write_phantoms(directory / "heads", subjects=3, seed=8)
    strip(snakemake, directory, "--conda-create-envs-only")
    with pytest.MonkeyPatch.context() as patch:
        # HD-BET's own place for its weights, were it to look or to download there.
        patch.setenv("HOME", str(home))
        patch.setenv("https_proxy", "http://127.0.0.1:9")
        strip(snakemake, directory)
    assert not (home / "hd-bet_params").exists()
    return directory


def test_masks_are_the_brains(stripped):
    for chunk in chunks(stripped):
        subjects = sorted(folder.name for folder in chunk.iterdir() if folder.is_dir())
        assert subjects == ["patient01", "patient02", "patient03"]
        for subject in subjects:
            truth = true_brain(stripped / "heads", subject)
            mask = read_labels(chunk / subject / "brain_mask.nii.gz", expected=(1,), grid=truth)
            assert dice(mask.data > 0, truth.data > 0) > 0.9, (chunk, subject)


def test_files_keep_the_grid_and_are_0_outside_the_mask(stripped):
    for chunk in chunks(stripped):
        for folder in (path for path in chunk.iterdir() if path.is_dir()):
            parts = folder.relative_to(stripped / "results/stripped")
            resampled = nib.load(stripped / "results/resampled" / parts / "image.nii.gz")
            mask = nib.load(folder / "brain_mask.nii.gz")
            image = nib.load(folder / "image.nii.gz")
            assert image.header == resampled.header
            assert mask.get_data_dtype() == np.uint8
            for part in (image, mask, nib.load(folder / "lesions.nii.gz")):
                np.testing.assert_array_equal(part.affine, resampled.affine)
                assert part.shape == resampled.shape
            inside = np.asarray(mask.dataobj) > 0
            expected = np.where(inside, resampled.get_fdata(), 0)
            np.testing.assert_array_equal(image.get_fdata(), expected)


def test_weights_hold_numbers_alone(stripped):
    checkpoint = stripped / "resources/hdbet/fold_all/checkpoint_final.pth"
    assert "optimizer_state" not in torch.load(checkpoint, weights_only=True)


def test_same_scans_give_the_same_bytes(stripped, snakemake, tmp_path):
    before = [shutil.move(chunk, tmp_path / chunk.parent.name) for chunk in chunks(stripped)]
    strip(snakemake, stripped)
    for old, new in zip(before, chunks(stripped), strict=True):
        files = sorted(path.relative_to(old) for path in old.glob("*/*"))
        assert len(files) == 9
        for file in files:
            assert (old / file).read_bytes() == (new / file).read_bytes(), file


def refused(snakemake, directory: Path) -> str:
    (directory / "heads").mkdir()
    done = snakemake(directory, "resources/hdbet", check=False)
    assert done.returncode != 0
    assert not (directory / "resources/hdbet").exists()
    return done.stderr


def test_weights_that_were_tampered_with_are_refused(snakemake, release, tmp_path):
    archive = Path(shutil.make_archive(str(tmp_path / "release"), "zip", release))
    expected = hashlib.sha256(archive.read_bytes()).hexdigest()
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    directory = directory_with(tmp_path / "study", local=archive, sha256=expected)
    lines = refused(snakemake, directory).splitlines()
    assert any(
        line.startswith(f"{archive}: has the SHA-256 ") and expected in line for line in lines
    )


class Attack:
    def __init__(self, command: str):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_weights_that_hold_code_are_refused_and_it_is_not_run(snakemake, release, tmp_path):
    copy = shutil.copytree(release, tmp_path / "release")
    checkpoint = torch.load(copy / "fold_all/checkpoint_final.pth", weights_only=False)
    checkpoint["logging"] = Attack(f"touch {tmp_path}/was_here")
    torch.save(checkpoint, copy / "fold_all/checkpoint_final.pth")
    directory = directory_with(tmp_path / "study", local=copy)
    lines = refused(snakemake, directory).splitlines()
    assert any("contains posix.system, not only numbers; nothing of it was run" in x for x in lines)
    assert not (tmp_path / "was_here").exists()
