"""A small data set of derivatives, as write_derivatives makes it, with pages to be made of it."""

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from scipy import ndimage

from brainuad.images.volumes import Volume, write_volume
from brainuad.io.rows import write_rows
from brainuad.io.scan_names import scan_name
from brainuad.report.derivatives.anomalies import ANOMALIES, SCAN_COLUMNS
from brainuad.report.derivatives.scans import CANDIDATE_COLUMNS
from brainuad.report.scans.results import read_results

ORIGIN = "of best Dice with the lesion masks of 8 validation scans of this cohort"


class SmallDerivatives:
    """Scans are added one by one; `write` then makes the tables.

    root  a folder with results/ below it, as a run has
    """

    def __init__(self, root: Path, cohort: str = "mine_t2") -> None:
        self.root, self.cohort = root, cohort
        self.folder = root / "results" / "derivatives" / cohort
        self.subjects = root / "results" / "subjects" / f"{cohort.rpartition('_')[0]}.tsv"
        self.quality = root / "results" / "report" / "quality" / cohort
        self.measures = root / "results" / "report" / "tables" / f"quality_{cohort}.tsv"
        self.left_out = root / "results" / "slices" / f"{cohort}_left_out.tsv"
        self.pages = root / "results" / "report" / "scans" / cohort
        self._rows: list[list[Any]] = []
        self._files: list[list[str]] = []

    def add(
        self,
        name: str,
        *,
        file: Path,
        brain: np.ndarray,
        anomaly_map: Volume,
        threshold: float,
        subject: str = "",
        session: str = "",
        percentile: float = 50.0,
        origin: str = ORIGIN,
        deviation: Volume | None = None,
    ) -> None:
        """Write the files of a scan; every part of the map above the threshold is a candidate."""
        parts = name.split("_")
        stem = self.folder.joinpath(*parts, "anat") / f"{name}_space-orig"

        def path(rest: str) -> Path:
            return stem.with_name(f"{stem.name}_{rest}")

        affine, scores = anomaly_map.affine, anomaly_map.data
        labels, count = ndimage.label(scores > threshold, np.ones((3, 3, 3)))
        sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
        rows = []
        for number, label in enumerate(1 + np.argsort(-sizes, kind="stable"), start=1):
            inside = labels == label
            centre = nib.affines.apply_affine(affine, ndimage.center_of_mass(inside))
            volume = inside.sum() * anomaly_map.voxel_ml
            values = scores[inside]
            place = [f"{value:.2f}" for value in centre]
            side = "left" if centre[0] < 0 else "right"
            row = [number, f"candidate {number}", volume, values.max(), values.mean(), *place, side]
            rows.append(row)
        write_volume(Volume(brain.astype(np.uint8), affine), path("desc-brain_mask.nii.gz"))
        write_volume(anomaly_map, path("desc-cddpmens_anomalymap.nii.gz"))
        if deviation is not None:
            write_volume(deviation, path("desc-cddpmens_stdmap.nii.gz"))
        write_rows(CANDIDATE_COLUMNS, rows, path("desc-cddpmens_dseg.tsv"))
        facts = {"Threshold": {"Value": threshold, "Origin": origin}}
        path("label-L_desc-cddpmens_mask.json").write_text(json.dumps(facts), encoding="utf-8")
        scan = scan_name(subject or parts[0], session)
        total = float(sum(row[2] for row in rows))
        mean = float(scores[brain > 0].mean())
        self._rows.append(
            [
                *(scan, subject or parts[0], session, name, "test", total, count),
                *(scores.max(), mean, percentile, 200),
            ]
        )
        self._files.append([subject or parts[0], session, str(file)])

    def write(self) -> None:
        write_rows(SCAN_COLUMNS, self._rows, self.folder / ANOMALIES)
        modality = self.cohort.rpartition("_")[2]
        listed = [[*row, "ok", ""] for row in self._files]
        listed.append(["three", "", "", "left_out", "the file is <cut> short"])
        write_rows(("subject", "session", modality, "status", "reason"), listed, self.subjects)
        flagged = [
            [*row[:2], number == 0, "overlap 61 % is low" if number == 0 else ""]
            for number, row in enumerate(self._files)
        ]
        write_rows(("subject", "session", "flagged", "why"), flagged, self.measures)
        write_rows(
            ("subject", "session", "stage", "reason"),
            [["four", "2", "registered", "no brain was found"]],
            self.left_out,
        )
        for result in read_results(self.folder):
            picture = self.quality / "pictures" / f"{result.scan}.png"
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.write_bytes(result.scan.encode())

    def inputs(self) -> dict[str, Any]:
        """What write_scan_pages is called with."""
        return {
            "derivatives": self.folder,
            "subjects": self.subjects,
            "quality": self.quality,
            "measures": self.measures,
            "left_out": self.left_out,
            "output": self.pages,
            "cohort": self.cohort,
            "cohort_label": "Mine T2",
            "method_label": "cDDPM ENS",
            "modality": self.cohort.rpartition("_")[2],
        }


# Oblique and anisotropic, its axes to the left, to the back and upwards, as clinical scans are.
SHAPE = (64, 72, 24)
AFFINE = nib.affines.from_matvec(
    nib.eulerangles.euler2mat(0.05, -0.08, 0.1) @ np.diag([-3.0, -3.0, 6.5]), [100.0, 90.0, -60.0]
)
# Centres in the scanner's mm: the large one left, in front and high, the small one opposite.
LARGE, SMALL = np.array([-30.0, 25.0, 45.0]), np.array([28.0, -50.0, -5.0])
THRESHOLD = 0.2


def head_with_anomalies(
    *places: tuple[np.ndarray, float],
) -> tuple[Volume, np.ndarray, Volume]:
    """A bright ellipsoid, its brain mask, and a map with balls (centre, radius in mm) of .1 to .5.

    Of a ball the part within the radius lies above `THRESHOLD`.
    """
    points = np.moveaxis(nib.affines.apply_affine(AFFINE, np.stack(np.indices(SHAPE), -1)), -1, 0)
    middle = nib.affines.apply_affine(AFFINE, (np.array(SHAPE) - 1) / 2)
    edges = np.array([70.0, 85.0, 65.0])
    radius = np.sqrt(sum(((points[axis] - middle[axis]) / edges[axis]) ** 2 for axis in range(3)))
    brain = radius < 1
    scan = np.where(brain, 500 + 300 * np.cos(9 * radius), 20).astype(np.float32)
    scores = np.where(brain, 0.1, 0)
    for centre, size in places:
        distance = np.sqrt(sum((points[axis] - centre[axis]) ** 2 for axis in range(3)))
        scores = np.maximum(scores, np.where(distance < size, 0.5 - 0.2 * distance / size, 0))
    return Volume(scan, AFFINE), brain, Volume(scores.astype(np.float32), AFFINE)


def small_study(root: Path, cohort: str = "mine_t2") -> SmallDerivatives:
    """Three scans of two subjects: two candidates, one, and none."""
    study = SmallDerivatives(root, cohort)
    scans = {
        "sub-01_ses-1": ([(LARGE, 16), (SMALL, 11)], "one <b>&\"'", "1", 97.5),
        "sub-01_ses-2": ([(SMALL, 11)], "one <b>&\"'", "2", float("nan")),
        "sub-two": ([], "two", "", 99.0),
    }
    for name, (places, subject, session, percentile) in scans.items():
        scan, brain, anomaly_map = head_with_anomalies(*places)
        file = root / "raw" / f"{name}.nii.gz"
        write_volume(scan, file)
        # The reconstructions of one scan differ most where its small candidate is.
        twice = head_with_anomalies((SMALL, 11))[2] if session == "1" else None
        study.add(
            name,
            file=file,
            brain=brain,
            anomaly_map=anomaly_map,
            threshold=THRESHOLD,
            subject=subject,
            session=session,
            percentile=percentile,
            deviation=twice,
        )
    study.write()
    return study
