"""Where each table and figure of the report has its place, and what is said beneath it.

The notes beneath tables come with the tables; here are those beneath figures.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from brainuad.report.metric_formats import VOLUMES_NOTE


@dataclass(frozen=True)
class Part:
    """A table, or the figures of one kind ("panel": panel, panel_brats21, ...), or both.

    `caption` is HTML. A wide figure takes the whole line, the others stand side by side.
    """

    heading: str = ""
    table: str = ""
    figures: str = ""
    caption: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Section:
    """Some parts under a heading, with a shorter one for the navigation."""

    name: str
    heading: str
    short: str
    parts: tuple[Part, ...]


RESULTS = (
    Section(
        "segmentation",
        "Segmentation of lesions",
        "Segmentation",
        (
            Part(table="segmentation"),
            Part(
                "Precision and recall",
                figures="precision_recall",
                caption="All voxels of all test subjects pooled, first fold. The marker is the "
                "threshold fitted on the validation subjects, before small components are "
                "removed. A curve ends where the anomaly score becomes zero: lesions in the "
                "eroded rim of the brain cannot be found. Grey lines join points of equal "
                "Dice; the dotted line is chance. The area is over pooled voxels, so it "
                "differs from the table's mean over subjects. The axis of precision may end "
                "below 100 %. With more than four methods, the mean over timesteps (ENS) "
                "stands for a method that has one.",
            ),
            Part("More than chance?", table="comparison"),
            Part("What the thresholds rest on", table="thresholds"),
            Part(
                "Dice by lesion volume",
                figures="dice_by_volume",
                wide=True,
                caption="Each point is a test subject (its mean over folds), by the threshold "
                "fitted on validation subjects. Each line joins the medians of groups of "
                "subjects of similar lesion volume; there is no line where subjects are too few. "
                "Of a method and its mean over timesteps (ENS) only the latter is shown. "
                f"{VOLUMES_NOTE}",
            ),
            Part("What post-processing gives", table="postprocessing"),
            Part(
                "By the timestep of the noise",
                figures="timesteps",
                wide=True,
                caption="Dice against the timestep t to which slices are noised before they are "
                "reconstructed in one step: means over test subjects and folds, and a band of "
                "one standard deviation over folds (none where there is one fold). No model "
                "was trained anew; for each timestep the threshold was fitted on validation "
                "subjects.",
            ),
        ),
    ),
    Section(
        "contrast",
        "Changed contrast",
        "Contrast",
        (
            Part("Segmentation under changed contrast", table="contrast"),
            Part(
                "Intensities of scans and reconstructions",
                table="histograms",
                figures="histograms",
                wide=True,
                caption="Healthy brain voxels of all test subjects of the first fold: densities of "
                "their intensities in the scans (grey), raised to the power of gamma, and in "
                "the reconstructions (line). \u0394H is the entropy of the one less that of the "
                "other, pooled; the table has it over all folds. No threshold takes part.",
            ),
        ),
    ),
    Section(
        "conditioning",
        "What the condition does",
        "Conditioning",
        (
            Part(
                table="conditioning",
                figures="conditioning",
                wide=True,
                caption="One axial slice of a few healthy test subjects, first fold. The encoder "
                "saw the share of the slice above each column, up to the yellow line; a method "
                "without an encoder is shown once. At t = 1000 nothing of the scan is left but "
                "what the encoder passes on. The numbers are mean absolute errors "
                "(10\u207b\u00b3) of the slice's brain on either side of the cut. No threshold "
                "takes part. Radiological display: R is the patient's right.",
            ),
        ),
    ),
    Section(
        "pictures",
        "Pictures",
        "Pictures",
        (
            Part(
                "Scans, reconstructions and anomaly maps",
                figures="panel",
                wide=True,
                caption="Test subjects of the first fold from the smallest to the largest lesion, "
                "each on the axial slice with the most lesion. The blue outline is the lesion "
                "as drawn (dotted: not scored). What was predicted, by the threshold fitted "
                "on validation subjects, is orange; of more than four methods it is the white "
                "outline on the anomaly map. Each method has a colour scale of its own, with "
                "an arrow at its threshold. Of a method and its mean over timesteps (ENS) "
                "only the latter is shown. Dice is that of the whole volume. Radiological "
                "display: R is the patient's right. "
                f"{VOLUMES_NOTE} These say \u201cgrid\u201d.",
            ),
            Part(
                caption="Anomaly maps to open in any viewer: <code>maps/</code> beside this page, "
                "one NIfTI file per test subject.",
            ),
        ),
    ),
    Section(
        "reconstruction",
        "Quality of reconstruction",
        "Reconstruction",
        (
            Part(table="reconstruction"),
            Part(
                "Time",
                table="times",
                figures="times",
                wide=True,
                caption="Seconds from the slices of a test subject's volume to its reconstruction: "
                "means over a few volumes of the first fold, with the bootstrap interval of "
                "the mean as a line. In brackets the ratio to DDPM of the same volume, where "
                "DDPM is a row.",
            ),
        ),
    ),
    Section(
        "beyond",
        "Beyond the paper",
        "Beyond",
        (
            Part("Subgroups", table="subgroups"),
            Part("Patients told from healthy subjects", table="detection"),
            Part("False positives in healthy subjects", table="false_positives"),
            Part(
                "How much the threshold decides",
                table="calibration",
                figures="calibration",
                wide=True,
                caption="Dice (%) over the test subjects of each lesion set: at its own threshold, "
                "fitted on its validation subjects (own), at those fitted on other sets of "
                "the same modality, and at the best that could be chosen on the test subjects "
                "themselves (best). The colour is the difference to the own threshold: brown "
                "is lost, blue is won.",
            ),
        ),
    ),
    Section(
        "beside",
        "Beside the paper and other runs",
        "Beside",
        (
            Part("What the paper claims", table="claims"),
            Part("The paper's numbers", table="beside_paper"),
            Part("Another run", table="beside_run"),
        ),
    ),
    Section(
        "training",
        "Training",
        "Training",
        (
            Part(
                figures="training",
                wide=True,
                caption="Loss against optimiser steps, one line per fold. Validation uses the same "
                "slices, timesteps and noise each time, or draws them anew where redrawn is set "
                "(as released); the dot is the step whose weights are used. Losses of different "
                "panels measure different things and are not to be compared.",
            ),
        ),
    ),
)
SPLITS = Section("splits", "Splits", "Splits", (Part(table="splits"),))
LEFT_OUT = Section("left-out", "Left out", "Left out", (Part(table="left_out"),))
RUN = Section("run", "How it was run", "Run", (Part(table="run"),))
PLACED = (*RESULTS, SPLITS, LEFT_OUT, RUN)


def is_of_kind(figure: str, kind: str) -> bool:
    """Whether a figure such as "panel_brats21" is one of a kind such as "panel"."""
    return figure == kind or figure.startswith(f"{kind}_")


def further_results(tables: Iterable[str], figures: Iterable[str]) -> Section:
    """A section for what has no place in the others, so that nothing is lost."""
    parts = [part for section in PLACED for part in section.parts]
    placed = {part.table for part in parts}
    kinds = [part.figures for part in parts if part.figures]
    return Section(
        "further",
        "Further results",
        "Further",
        (
            *(Part(_words(name), table=name) for name in tables if name not in placed),
            *(
                Part(_words(name), figures=name, wide=True)
                for name in figures
                if not any(is_of_kind(name, kind) for kind in kinds)
            ),
        ),
    )


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
