"""Reconstruct the subjects of a data set anew, a group at a time, and score the lesions found.

For experiments that change the scans or the timesteps. What they reconstruct is used at once and
kept nowhere, so that their memory does not grow with the data set.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import tee

import numpy as np
import pandas as pd

from brainuad.compute.device import Device, DeviceName
from brainuad.datasets.splits import subjects_of
from brainuad.evaluation import metrics
from brainuad.evaluation.thresholds import best_threshold
from brainuad.images.slices import SliceStack
from brainuad.inference.reconstruction import (
    SLICES_AT_A_TIME,
    compile_for_volumes,
    compiling_pays,
    reconstruct_volumes,
)
from brainuad.io.job import log
from brainuad.models import Method
from brainuad.scores.device_postprocess import anomaly_maps
from brainuad.scores.postprocess import (
    Case,
    Cases,
    PostprocessingSettings,
    anomaly_map_of,
    cases_of,
    segment,
)


@dataclass(frozen=True)
class Reconstructor:
    """A trained method on its device. The noise follows from the seed, as in reconstruct_volumes.

    volumes_at_a_time  how many are held in memory. They are as many as a batch has slices: so the
                       batches, and with them the bits, are those of all volumes at once
    """

    method: Method
    seed: int
    device: Device

    @property
    def volumes_at_a_time(self) -> int:
        return SLICES_AT_A_TIME[self.device.torch.type]

    def compile_if_it_pays(self, shape: Sequence[int], *, volumes: int, repeats: int) -> None:
        """Compile the network for volumes [S, H, W] that meet `repeats` timesteps each, in all.

        A group alone is too small for it.
        """
        places, *size = shape
        if compiling_pays(self.method, slices=volumes * places, timesteps=repeats):
            compile_for_volumes(self.method, size, self.device)

    def cases(
        self, stack: SliceStack, subjects: Sequence[str], *, timesteps: Sequence[int], gamma: float
    ) -> Iterator[Case]:
        """The subjects one by one, with intensities x^gamma and the reconstruction of these.

        Subjects that the stack lacks are skipped.
        """
        present = set(stack.subjects.tolist())
        wanted = [subject for subject in subjects if subject in present]
        for start in range(0, len(wanted), self.volumes_at_a_time):
            group = wanted[start : start + self.volumes_at_a_time]
            yield from self._reconstructed(stack.select(group), timesteps, gamma)

    def _reconstructed(self, group: SliceStack, timesteps: Sequence[int], gamma: float) -> Cases:
        """The cases of a group in memory, whose images are changed in place."""
        change_contrast(group.images, gamma)
        names = group.subjects.tolist()
        reconstructions = reconstruct_volumes(
            self.method,
            group.images,
            names,
            timesteps=timesteps,
            seed=self.seed,
            device=self.device,
        )
        painted = {"subjects": group.subjects, "reconstructions": reconstructions}
        return cases_of(group, painted, names)


def change_contrast(images: np.ndarray, gamma: float) -> None:
    """Raise intensities of any shape to the power of gamma, in place."""
    # ASSUME: an intensity below 0, where a spline overshot, keeps its sign under changed contrast,
    # as in torchio's gamma.
    np.copysign(np.abs(images) ** gamma, images, out=images)


def score_anew(
    reconstructor: Reconstructor,
    stack: SliceStack,
    split: pd.DataFrame,
    *,
    timesteps: Sequence[int],
    gamma: float,
    settings: PostprocessingSettings,
) -> pd.DataFrame:
    """Dice and AUPRC of the test subjects of a lesion set: a table of subject, metric, value.

    The threshold is fitted on the validation subjects, with the same timesteps and gamma. Raises
    SettingsError where none can be fitted.
    """

    def cases(partition: str) -> Iterator[Case]:
        subjects = subjects_of(split, partition)
        return reconstructor.cases(stack, subjects, timesteps=timesteps, gamma=gamma)

    def map_of(case: Case) -> np.ndarray:
        return map_on_device(case, settings, reconstructor.device)

    # Both are read in step, so that `tee` holds one case.
    mapped, labelled = tee(cases("validation"))
    threshold = best_threshold(map(map_of, mapped), (case.lesions for case in labelled))
    log(
        f"gamma {gamma:g}, timesteps {list(timesteps)}: "
        f"threshold {threshold.value:.6g}, Dice {threshold.dice:.4f}"
    )
    rows = []
    for case in cases("test"):
        scores = map_of(case)
        prediction = segment(scores, threshold.value, settings)
        rows.append((case.subject, "dice", metrics.dice(prediction, case.lesions)))
        rows.append((case.subject, "auprc", metrics.average_precision(scores, case.lesions)))
    return pd.DataFrame(rows, columns=["subject", "metric", "value"])


def map_on_device(case: Case, settings: PostprocessingSettings, device: Device) -> np.ndarray:
    """The anomaly map [S, H, W] of a case, made where it is faster: on a GPU if there is one."""
    if device.settings.name == DeviceName.CUDA:
        volume = (case.image, case.reconstruction, case.brain_mask)
        return anomaly_maps(*(array[None] for array in volume), settings, device.torch)[0]
    return anomaly_map_of(case, settings)
