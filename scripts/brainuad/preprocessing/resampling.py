"""Resample raw scans and their lesion masks to cubic voxels in RAS orientation."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brainuad.datasets.layouts import labels_of, load_layout
from brainuad.images.geometry import background_of, labels_on, resample, to_ras
from brainuad.images.volumes import Volume, read_labels, read_volume
from brainuad.preprocessing.raw_scans import Row, mark_lesions

ANY = range(2**16)  # all possible labels


@dataclass(frozen=True)
class Resampling:
    """How the scans of a cohort are read and resampled.

    spacing              edge of the new voxels in mm
    lesion_labels        labels of a mask that count as lesion
    ignored_labels       labels that are not scored
    lesions_on_own_grid  a mask may have another grid than its scan, and is brought to the scan's
    """

    modality: str
    spacing: float
    lesion_labels: Collection[int]
    ignored_labels: Collection[int]
    lesions_on_own_grid: bool

    def scan(self, row: Row) -> tuple[Volume, Volume]:
        """The scan in a row of the subject table, and its lesions: 0 none, 1 lesion, 2 ignored.

        Without a mask the lesions, uint8, are all 0.
        """
        raw = read_volume(Path(row[self.modality]))
        upright = to_ras(raw)
        image = resample(upright, self.spacing, labels=False)
        # ASSUME: the background, which is the value of most of the border or else 0, keeps its
        # exact value: b-splines ring around a brain that comes stripped, and its mask is all voxels
        # above the background.
        background = background_of(upright.data)
        blank = Volume(upright.data == background, upright.affine)
        blank = resample(blank, self.spacing, labels=True)
        image = Volume(np.where(blank.data, background, image.data), image.affine)
        seg = row["seg"]
        if not seg:
            return image, Volume(np.zeros(image.data.shape, np.uint8), image.affine)
        # The labels were checked when the subjects were listed.
        grid = None if self.lesions_on_own_grid else raw
        labels = read_labels(Path(seg), expected=ANY, grid=grid)
        marked = mark_lesions(
            labels.data, lesion_labels=self.lesion_labels, ignored_labels=self.ignored_labels
        )
        if self.lesions_on_own_grid:
            on_scan = labels_on(Volume(marked, labels.affine), raw, name=seg)
        else:
            # A mask takes the affine of its scan: the headers may differ by rounding.
            on_scan = Volume(marked, raw.affine)
        lesions = resample(to_ras(on_scan), self.spacing, labels=True).data
        return image, Volume(lesions, image.affine)


def resampling_of(params: Any) -> Resampling:
    """The resampling in the params of a job."""
    layout = load_layout(params.layout)
    labels = labels_of(layout, params.lesion_labels, params.ignored_labels)
    return Resampling(
        modality=params.modality,
        spacing=params.spacing,
        lesion_labels=labels.lesion,
        ignored_labels=labels.ignored,
        lesions_on_own_grid=layout.lesions_on_own_grid,
    )
