"""The results of one scan as BIDS derivatives: in its own space, or else in the template's."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from brainuad.evaluation.candidates import Candidate, measure_candidates, midsagittal_plane
from brainuad.images.components import label_components
from brainuad.images.geometry import read_transform
from brainuad.images.slices import Scan
from brainuad.images.volumes import Volume, read_labels
from brainuad.io import job
from brainuad.io.rows import write_rows
from brainuad.preprocessing.native_space import (
    ScanGrid,
    grid_of_file,
    to_scan_grid,
    write_on_grid,
)
from brainuad.report.derivatives.dataset import TEMPLATE, write_json

NEAREST = "nearest neighbour"
ORIG, IN_TEMPLATE = "orig", "template"
CANDIDATE_COLUMNS = ("index", "name", "volume_ml", "peak", "mean", "x", "y", "z", "side")
CANDIDATE_SIDECAR = {
    "volume_ml": {"Description": "volume of its voxels in this file", "Units": "mL"},
    "peak": {"Description": "highest value of the anomaly map in it, on the grid that is scored"},
    "mean": {"Description": "mean of the anomaly map over it, on the grid that is scored"},
    **{
        axis: {
            "Description": f"centre of mass, or its nearest place, {towards}",
            "Units": "mm",
        }
        for axis, towards in (
            ("x", "to the patient's right"),
            ("y", "to the front"),
            ("z", "upwards"),
        )
    },
    "side": {
        "Description": "the patient's side of the template's midsagittal plane on which three "
        "quarters of it lie",
        "Levels": {"left": "left", "right": "right", "midline": "neither"},
    },
}
ITK_AFFINE = """#Insight Transform File V1.0
#Transform 0
Transform: AffineTransform_double_3_3
Parameters: {parameters}
FixedParameters: 0 0 0
"""


@dataclass(frozen=True)
class Place:
    """Where the results of a scan are written.

    space               orig or template
    brain_mask          uint8 [X, Y, Z] on the grid
    scan_from_template  affine map [4, 4] of points, RAS mm
    midsagittal         where the plane that halves the head lies, RAS mm along x of the template
    """

    space: str
    grid: ScanGrid
    brain_mask: np.ndarray
    scan_from_template: np.ndarray
    midsagittal: float

    def bring(self, volume: Volume, *, labels: bool) -> np.ndarray:
        """A volume on the final grid, brought to this one."""
        if self.space == IN_TEMPLATE:
            return volume.data
        return to_scan_grid(
            volume, self.grid, scan_from_volume=self.scan_from_template, labels=labels
        )


def native_place(raw: Path, *, brain_mask: Path, transform: Path, midsagittal: float) -> Place:
    """The grid of the file that a scan came in."""
    grid = grid_of_file(raw)
    # It lies on the resampled scan, and so in the scan's own space already.
    mask = read_labels(brain_mask, expected=(1,))
    on_grid = to_scan_grid(mask, grid, scan_from_volume=np.eye(4), labels=True)
    return Place(ORIG, grid, on_grid, read_transform(transform), midsagittal)


def template_place(scan: Scan) -> Place:
    """The final grid, of a scan that came registered and has no other."""
    mask = volume_of(scan.brain_mask.astype(np.uint8), scan)
    grid = ScanGrid(scan.affine, mask.data.shape)
    # The affines of released volumes are not those of the template, so that its plane is not known.
    return Place(IN_TEMPLATE, grid, mask.data, np.eye(4), midsagittal_plane(mask))


def volume_of(array: np.ndarray, scan: Scan) -> Volume:
    """An array [S, H, W] of a scan as a volume [X, Y, Z]."""
    return Volume(array.transpose(1, 2, 0), scan.affine)


@dataclass(frozen=True)
class ScanWriter:
    """Writes the files of scans into one data set.

    desc            the label of the method
    score           what the values of an anomaly map are, in words
    suffix          of scans in this modality, such as T1w
    threshold       what sidecars say of it
    segment         from an anomaly map [S, H, W] to the voxels that are called anomalous
    template        what sidecars call the image that the space of the template is defined by
    """

    desc: str
    score: str
    suffix: str
    threshold: dict[str, Any]
    segment: Callable[[np.ndarray], np.ndarray]
    template: str

    def write(
        self,
        stem: Path,
        scan: Scan,
        anomaly_map: np.ndarray,
        reconstruction: np.ndarray | None,
        deviation: np.ndarray | None,
        *,
        place: Place,
        source: str,
    ) -> list[float]:
        """Write all files of a scan, whose names begin with that of `stem`, in its folder.

        deviation  the standard deviation [S, H, W] of several reconstructions; None: there is one

        Returns the volumes of its candidates in ml, of those that have a voxel on the grid.
        """
        orig = place.space == ORIG
        reference = source if orig else self.template

        def facts(description: str, interpolation: str) -> dict[str, Any]:
            told = {"Description": description, "Sources": [source], "SpatialReference": reference}
            return told | ({"Interpolation": interpolation} if orig else {})

        def path(rest: str) -> Path:
            return stem.with_name(f"{stem.name}_space-{place.space}_{rest}")

        def write(data: np.ndarray, rest: str, sidecar: dict[str, Any]) -> None:
            write_on_grid(data, place.grid, path(f"{rest}.nii.gz"))
            write_json(path(f"{rest}.json"), sidecar)

        stem.parent.mkdir(parents=True, exist_ok=True)
        write(
            place.brain_mask,
            "desc-brain_mask",
            facts("brain mask", NEAREST) | {"Type": "Brain"},
        )
        of_map = volume_of(anomaly_map, scan)
        write(
            place.bring(of_map, labels=False),
            f"desc-{self.desc}_anomalymap",
            facts(f"{self.score}, post-processed; 0 outside the eroded brain", "linear"),
        )
        parts = volume_of(label_components(self.segment(anomaly_map)), scan)
        candidates = measure_candidates(parts.data, of_map, midsagittal=place.midsagittal)
        on_grid, counts = _numbered(place.bring(parts, labels=True), len(candidates))
        if missed := np.count_nonzero(counts == 0):
            job.log(
                f"{stem.name}: {missed} of {len(candidates)} candidates lie between the voxels of "
                "the scan's own grid, and are not written"
            )
        threshold = {"Threshold": self.threshold}
        write(
            (on_grid > 0).astype(np.uint8),
            f"label-L_desc-{self.desc}_mask",
            facts("scores above the threshold, without small parts", NEAREST)
            | threshold
            | {"Type": "Lesion"},
        )
        write(
            on_grid,
            f"desc-{self.desc}_dseg",
            facts("connected parts of the lesion mask, the largest first", NEAREST)
            | threshold
            | CANDIDATE_SIDECAR,
        )
        volumes = (counts[counts > 0] * place.grid.voxel_ml).tolist()
        to_scan = place.scan_from_template @ scan.affine
        written = zip(compress(candidates, counts), volumes, strict=True)
        rows = [
            _row(number, candidate, volume, to_scan)
            for number, (candidate, volume) in enumerate(written, start=1)
        ]
        write_rows(CANDIDATE_COLUMNS, rows, path(f"desc-{self.desc}_dseg.tsv"))
        if deviation is not None:
            write(
                place.bring(volume_of(deviation, scan), labels=False),
                f"desc-{self.desc}_stdmap",
                facts("standard deviation of the reconstructions, each with other noise", "linear")
                | {"Units": "arbitrary"},
            )
        if reconstruction is not None:
            self._write_reconstruction(stem, volume_of(reconstruction, scan), source)
        if orig:
            _write_transform(stem, place.scan_from_template, source)
        return volumes

    def _write_reconstruction(self, stem: Path, volume: Volume, source: str) -> None:
        name = f"{stem.name}_space-{IN_TEMPLATE}_desc-{self.desc}_{self.suffix}"
        grid = ScanGrid(volume.affine, volume.data.shape)
        write_on_grid(volume.data, grid, stem.with_name(f"{name}.nii.gz"))
        sidecar = {
            "Description": "the healthy brain that the model makes of the scan",
            "Sources": [source],
            "SpatialReference": self.template,
            "SkullStripped": True,
        }
        write_json(stem.with_name(f"{name}.json"), sidecar)


def _numbered(parts: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Parts from 1 to `count` without gaps in their numbers, and how many voxels each has.

    A small part that lies between thick slices has none.
    """
    inside = parts > 0
    found = parts[inside]
    counts = np.bincount(found, minlength=count + 1)
    numbered = np.zeros_like(parts)
    numbered[inside] = np.cumsum(counts > 0)[found]
    return numbered, counts[1:]


def _row(number: int, candidate: Candidate, volume: float, to_scan: np.ndarray) -> list[Any]:
    x, y, z = nib.affines.apply_affine(to_scan, candidate.place)
    return [
        *(number, f"candidate {number}", f"{volume:.6g}"),
        *(f"{candidate.peak:.6g}", f"{candidate.mean:.6g}"),
        *(f"{x:.2f}", f"{y:.2f}", f"{z:.2f}", candidate.side.value),
    ]


def _write_transform(stem: Path, scan_from_template: np.ndarray, source: str) -> None:
    """Write the transform as ITK text: points of the template to points of the scan, LPS mm."""
    flip = np.diag([-1.0, -1.0, 1.0, 1.0])
    lps = flip @ scan_from_template @ flip
    parameters = " ".join(f"{value:.17g}" for value in [*lps[:3, :3].ravel(), *lps[:3, 3]])
    name = f"{stem.name}_from-{ORIG}_to-{IN_TEMPLATE}_mode-image_xfm"
    text = ITK_AFFINE.format(parameters=parameters)
    stem.with_name(f"{name}.txt").write_text(text, encoding="utf-8")
    write_json(
        stem.with_name(f"{name}.json"),
        {
            "Description": "as ITK means it: takes points of the template to points of the scan, "
            "and so resamples the scan on the template",
            "Sources": [source],
            "SpatialReference": f"bids::{TEMPLATE}",
        },
    )
