"""Methods, models, cohorts and metrics as people read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from brainuad.evaluation.reconstruction_times import reference_of
from brainuad.evaluation.summaries import AVERAGE
from brainuad.evaluation.thresholds import ON_HEALTHY, healthy_label
from brainuad.report.metric_formats import format_of

PRETRAINING = "pretraining"


@dataclass(frozen=True)
class Labels:
    """What the config calls its methods and data sets; what it does not know is its own label.

    models   as the method that asks it alone, or else as itself
    several  the data sets with lesion masks in several modalities
    """

    methods: Mapping[str, str]
    models: Mapping[str, str]
    datasets: Mapping[str, str]
    several: Sequence[str]

    def method(self, name: str) -> str:
        return self.methods.get(name, name)

    def model(self, name: str) -> str:
        """The label of a model; the encoder's pretraining is named as such."""
        return "SparK pretraining" if name == PRETRAINING else self.models.get(name, name)

    def dataset(self, name: str) -> str:
        return self.datasets.get(name, name)

    def cohort(self, dataset: str, modality: str) -> str:
        """A data set with its modality, BraTS21 T2; the mean over data sets has none."""
        return "Mean" if dataset == AVERAGE else f"{self.dataset(dataset)} {modality.upper()}"

    def lesion_set(self, dataset: str, modality: str) -> str:
        """A data set, with its modality where there are lesion masks in several of them."""
        named = dataset in self.several
        return self.cohort(dataset, modality) if named else self.dataset(dataset)

    def threshold(self, fitted_on: str, modality: str) -> str:
        """What a threshold comes from: a data set, or a share of healthy voxels."""
        if fitted_on in ON_HEALTHY:
            return healthy_label(fitted_on)
        return self.lesion_set(fitted_on, modality)

    def metric(self, name: str) -> str:
        """A metric with its unit; a ratio of times names the method that it is to."""
        reference = reference_of(name)
        return format_of(name).label + (f" {self.method(reference)}" if reference else "")
