"""The scores: one file for each kind, found by its name in the config; and what follows them.

A score makes an anomaly map of a scan and its reconstruction. A new one is a new file
`scores/{kind}.py` with a function `build(settings)` that returns a `Score`. The jobs that run them
have no torch, so none imports it. `postprocess` smooths and thresholds the maps of all alike.
"""

import importlib
import pkgutil
from typing import Any, Protocol

import numpy as np

from brainuad.io.errors import SettingsError


class Score(Protocol):
    """How anomalous each voxel of a scan is.

    needs_reconstruction  whether it compares the scan with a reconstruction, so that a method
                          without a model can't be scored by it
    needs_samples         whether it compares the scan with several reconstructions; one that does
                          not say so gets their mean

    A score that compares with healthy scans has `needs_reference` and the methods of
    `normative.Normative` in place of a call; `scoring` uses both sorts alike.
    """

    needs_reconstruction: bool

    def __call__(
        self, image: np.ndarray, reconstruction: np.ndarray | None, brain_mask: np.ndarray
    ) -> np.ndarray:
        """The anomaly map before post-processing, float32 [S, H, W], >= 0.

        image is float32 [S, H, W] as in SliceStack, reconstruction too (None: there is none; of a
        score that needs samples float32 [K, S, H, W]), brain_mask bool [S, H, W].
        """
        ...


def needs_samples(score: Score) -> bool:
    """Whether a score takes all samples of a reconstruction, and not their mean."""
    return getattr(score, "needs_samples", False)


def load_score(block: dict[str, Any]) -> Score:
    """Build a score from a block of the config: its kind, and the settings of that kind.

    Raises SettingsError for a kind that has no file, a file that lacks something, or settings that
    do not fit.
    """
    settings = dict(block)
    kind = settings.pop("kind", None)
    modules = [module.name for module in pkgutil.iter_modules(__path__)]
    kinds = sorted(name for name in modules if "postprocess" not in name and name != "scoring")
    if kind not in kinds:
        raise SettingsError(f"score kind {kind!r} is not one of {', '.join(kinds)}")
    module = importlib.import_module(f"{__name__}.{kind}")
    if not hasattr(module, "build"):
        raise SettingsError(f"scores/{kind}.py has no function build(settings); add it")
    score = module.build(settings)
    if not hasattr(score, "needs_reconstruction"):
        raise SettingsError(
            f"scores/{kind}.py: what build returns has no needs_reconstruction; set it to true or "
            "false"
        )
    return score


def values_of(
    score: Score,
    image: np.ndarray,
    reconstruction: np.ndarray | None,
    brain_mask: np.ndarray,
    *,
    signed: bool = False,
) -> np.ndarray:
    """Call a score, and check that its map is one: [S, H, W], finite, >= 0 unless it is signed.

    Raises SettingsError with the file of the score, which may be the reader's own.
    """
    values = score(image, reconstruction, brain_mask)
    file = f"scores/{type(score).__module__.rpartition('.')[2]}.py"
    if np.shape(values) != image.shape:
        raise SettingsError(
            f"{file}: the map has the shape {np.shape(values)}, its scan {image.shape}; return a "
            "number for each voxel"
        )
    if broken := np.count_nonzero(~np.isfinite(values)):
        raise SettingsError(
            f"{file}: the map holds NaN or infinity, at {broken} of {values.size} voxels; return "
            "finite numbers, also outside the brain"
        )
    if not signed and values.min() < 0:
        raise SettingsError(
            f"{file}: the map has values below 0, down to {values.min():.3g}; return 0 or more, "
            "the more the more anomalous"
        )
    return values
