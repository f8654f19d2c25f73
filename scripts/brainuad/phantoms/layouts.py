"""Write phantoms in the raw layouts: names, folders, grids and orders of axes of the data sets."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from brainuad.config.phantoms import PhantomSettings
from brainuad.phantoms import acquisition, lesions, vascular
from brainuad.phantoms.acquisition import Contrast, Scanner
from brainuad.phantoms.anatomy import Tissues, Variation, draw_head, tissues_on
from brainuad.phantoms.companions import add_mslub_companions, add_wmh_companions
from brainuad.phantoms.fields import Axes
from brainuad.phantoms.lesions import Plan
from brainuad.phantoms.template import TEMPLATE_ORIGIN, TEMPLATE_SHAPE, Template


class Dataset(StrEnum):
    """The data sets that have a phantom tree; the order is part of the seed."""

    IXI = "ixi"
    BRATS21 = "brats21"
    MSLUB = "mslub"
    ATLAS = "atlas"
    WMH = "wmh"
    CLINIC = "clinic"


@dataclass(frozen=True)
class Person:
    """What all scans of one subject share."""

    template: Template
    plan: Plan
    scanner: Scanner
    stripped: bool = False
    has_t2: bool = True


# Heads of data sets in a template's space differ less from the template.
FREE = Variation()
ALIGNED = Variation(scale=0.012, rotation=0.8)

# Standard deviation of the rotation of a head against the axes of its scan, in degrees.
OBLIQUE = {Dataset.IXI: 2.5, Dataset.CLINIC: 8.0}

IXI_SITES = ("Guys", "HH", "Guys", "Guys", "HH", "IOP")
WMH_SITES = (
    ("Utrecht", 0, 2, (230.0, 230.0, 144.0), "LAS"),
    ("Singapore", 50, 1, (232.0, 256.0, 144.0), "LAS"),
    ("Amsterdam/GE3T", 100, 1, (200.0, 240.0, 168.0), "RAS"),
)

Spacing = tuple[float, ...]
Planner = Callable[..., Plan]
PLANNERS: dict[Dataset, Planner] = {
    Dataset.BRATS21: lesions.plan_tumour,
    Dataset.MSLUB: lesions.plan_plaques,
    Dataset.ATLAS: vascular.plan_infarct,
    Dataset.WMH: vascular.plan_hyperintensities,
    Dataset.CLINIC: lesions.plan_tumour,
}


def write_subject(
    template: Template,
    root: Path,
    *,
    dataset: Dataset,
    index: int,
    settings: PhantomSettings,
    seed: int,
) -> list[Path]:
    """Make subject number `index` (from 0) and write its files; return their paths.

    The first path is the scan that is cut in half if the subject is among the truncated ones. The
    same seed, data set and index give the same bytes, whichever other subjects are made.
    """
    key = (seed, list(Dataset).index(dataset), index)
    rng = np.random.default_rng(key)
    aligned = dataset in (Dataset.BRATS21, Dataset.ATLAS)
    head = draw_head(template, rng, ALIGNED if aligned else FREE)
    scanner = acquisition.draw_scanner(rng, seed=key, oblique=OBLIQUE.get(dataset, 0.0))
    planner = PLANNERS.get(dataset)
    plan = planner(template, head, rng, settings.lesion_load) if planner else Plan(head, None)
    whole = settings.subjects - settings.truncated
    person = Person(
        template,
        plan,
        scanner,
        stripped=dataset is Dataset.BRATS21,
        has_t2=not whole - settings.single_modality <= index < whole,
    )
    paths = WRITERS[dataset](person, root, index=index, spacing=settings.spacing)
    if index >= whole:
        acquisition.truncate(paths[0])
    return paths


def _write_scans(
    person: Person,
    *,
    axes: Axes,
    affine: np.ndarray,
    orientation: str,
    scans: dict[Path, Contrast],
    labels: Path | None = None,
    brain: Path | None = None,
) -> list[Path]:
    tissues: Tissues = tissues_on(person.template, person.plan.head, axes, stripped=person.stripped)
    found = person.plan.draw(tissues, axes) if person.plan.draw else None
    for path, contrast in scans.items():
        image = acquisition.acquire(
            tissues, found, axes=axes, contrast=contrast, scanner=person.scanner
        )
        acquisition.save(image, path, affine=affine, orientation=orientation)
    masks = {}
    if labels is not None and found is not None:
        masks[labels] = found.labels
    if brain is not None:
        masks[brain] = tissues.brain.astype(np.uint8)
    for path, mask in masks.items():
        acquisition.save(mask, path, affine=affine, orientation=orientation)
    return [*scans, *masks]


def ixi_number(index: int) -> int:
    """The number in the name of subject `index` (from 0), with gaps like those of IXI."""
    return 2 + index + index // 4


def _write_ixi(person: Person, root: Path, *, index: int, spacing: Spacing) -> list[Path]:
    site = IXI_SITES[index % len(IXI_SITES)]
    number = ixi_number(index)
    name = f"IXI{number:03d}-{site}-{400 + 37 * number % 2200:04d}"
    across, front, up = spacing
    # ASSUME: T1 is sagittal, and T2 axial with slices a quarter thicker, as in IXI's protocols.
    views = {
        Contrast.T2: ((236.0, 240.0, 170.0), (across, front, 1.25 * up), "LAS"),
        Contrast.T1: ((180.0, 240.0, 216.0), (across, front, up), "PSR"),
    }
    if not person.has_t2:
        del views[Contrast.T2]
    paths = []
    for contrast, (extent, voxel, orientation) in views.items():
        axes = acquisition.grid_axes(field_of_view=extent, spacing=voxel)
        kind = contrast.upper()
        path = root / f"IXI-{kind}" / f"{name}-{kind}.nii.gz"
        affine = acquisition.world_affine(
            axes, pose=person.scanner.pose, shift=person.scanner.shift
        )
        paths += _write_scans(
            person, axes=axes, affine=affine, orientation=orientation, scans={path: contrast}
        )
    return paths


def _write_brats21(person: Person, root: Path, *, index: int, spacing: Spacing) -> list[Path]:
    # The real numbers have gaps: 0, 2, 3, 5, 6, 8, ...
    name = f"BraTS2021_{(3 * index + 1) // 2:05d}"
    axes = acquisition.grid_axes(field_of_view=(240.0, 240.0, 155.0), spacing=spacing)
    affine = acquisition.world_affine(axes, pose=np.eye(3), shift=np.zeros(3))
    # BraTS files put the corner of the first voxel row at x = 0 and y = 239 mm, axes L, P, S.
    extent = [(len(axis) - 1) * step for axis, step in zip(axes, spacing, strict=True)]
    affine[:3, 3] = [-extent[0], 0.0, 0.0]
    scans = {
        root / name / f"{name}_{contrast}.nii.gz": contrast
        for contrast in (Contrast.T2, Contrast.T1, Contrast.T1CE, Contrast.FLAIR)
    }
    labels = root / name / f"{name}_seg.nii.gz"
    return _write_scans(
        person, axes=axes, affine=affine, orientation="LPS", scans=scans, labels=labels
    )


def _write_mslub(person: Person, root: Path, *, index: int, spacing: Spacing) -> list[Path]:
    name = f"patient{index + 1:02d}"
    axes = acquisition.grid_axes(field_of_view=(192.0, 232.0, 176.0), spacing=spacing)
    contrasts = {"T2W": Contrast.T2, "T1W": Contrast.T1, "FLAIR": Contrast.FLAIR}
    paths = _write_scans(
        person,
        axes=axes,
        affine=acquisition.world_affine(axes, pose=np.eye(3), shift=person.scanner.shift),
        orientation="LPS",
        scans={
            root / name / f"{name}_{kind}.nii.gz": contrast for kind, contrast in contrasts.items()
        },
        labels=root / name / f"{name}_consensus_gt.nii.gz",
        brain=root / name / f"{name}_brainmask.nii.gz",
    )
    return paths + add_mslub_companions(root / name, seed=person.scanner.seed)


def _write_atlas(person: Person, root: Path, *, index: int, spacing: Spacing) -> list[Path]:
    cohort, number = index // 4 + 1, index % 4 + 1
    name = f"sub-r{cohort:03d}s{number:03d}"
    folder = root / "Training" / f"R{cohort:03d}" / name / "ses-1" / "anat"
    start = f"{name}_ses-1_space-MNI152NLin2009aSym"
    extent = np.array(TEMPLATE_SHAPE, float)
    centre = np.array(TEMPLATE_ORIGIN) + (extent - 1) / 2
    axes = acquisition.grid_axes(field_of_view=tuple(extent), spacing=spacing, centre=tuple(centre))
    return _write_scans(
        person,
        axes=axes,
        affine=acquisition.world_affine(axes, pose=np.eye(3), shift=np.zeros(3)),
        orientation="RAS",
        scans={folder / f"{start}_T1w.nii.gz": Contrast.T1},
        labels=folder / f"{start}_label-L_desc-T1lesion_mask.nii.gz",
    )


def _write_wmh(person: Person, root: Path, *, index: int, spacing: Spacing) -> list[Path]:
    site, first, step, extent, orientation = WMH_SITES[index % len(WMH_SITES)]
    folder = root / "training" / site / str(first + step * (index // len(WMH_SITES)))
    axes = acquisition.grid_axes(field_of_view=extent, spacing=spacing)
    affine = acquisition.world_affine(axes, pose=np.eye(3), shift=person.scanner.shift)
    paths = _write_scans(
        person,
        axes=axes,
        affine=affine,
        orientation=orientation,
        scans={
            folder / "orig" / "T1.nii.gz": Contrast.T1,
            folder / "orig" / "FLAIR.nii.gz": Contrast.FLAIR,
        },
        labels=folder / "wmh.nii.gz",
    )
    fine = acquisition.grid_axes(field_of_view=extent, spacing=(min(spacing),) * 3)
    paths += _write_scans(
        person,
        axes=fine,
        affine=acquisition.world_affine(fine, pose=np.eye(3), shift=person.scanner.shift),
        orientation="PSR",
        scans={folder / "orig" / "3DT1.nii.gz": Contrast.T1},
    )
    return paths + add_wmh_companions(folder)


def _write_clinic(person: Person, root: Path, *, index: int, spacing: Spacing) -> list[Path]:
    """A BIDS folder without lesion masks, as a clinic may have one; not a public data set."""
    name = f"sub-{index + 1:02d}"
    axes = acquisition.grid_axes(field_of_view=(210.0, 230.0, 165.0), spacing=spacing)
    affine = acquisition.world_affine(axes, pose=person.scanner.pose, shift=person.scanner.shift)
    kinds = {"T1w": Contrast.T1, "T2w": Contrast.T2}
    anat = root / name / "anat"
    scans = {anat / f"{name}_{kind}.nii.gz": contrast for kind, contrast in kinds.items()}
    paths = _write_scans(person, axes=axes, affine=affine, orientation="RPS", scans=scans)
    described = '{"Name": "Phantoms of a clinic", "BIDSVersion": "1.10.0"}\n'
    (root / "dataset_description.json").write_text(described, encoding="utf-8")
    return paths


WRITERS: dict[Dataset, Callable[..., list[Path]]] = {
    Dataset.IXI: _write_ixi,
    Dataset.BRATS21: _write_brats21,
    Dataset.MSLUB: _write_mslub,
    Dataset.ATLAS: _write_atlas,
    Dataset.WMH: _write_wmh,
    Dataset.CLINIC: _write_clinic,
}
