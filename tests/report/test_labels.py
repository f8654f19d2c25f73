import pytest

from brainuad.evaluation.summaries import AVERAGE
from brainuad.report.labels import Labels

LABELS = Labels(
    methods={"ddpm": "DDPM", "ddpm_ens": "DDPM ENS"},
    models={"ddpm": "DDPM"},
    datasets={"brats21": "BraTS21", "ixi": "IXI"},
    several=["brats21"],
)


def test_what_has_no_label_is_its_own():
    assert LABELS.method("ddpm_ens") == "DDPM ENS"
    assert LABELS.method("mine") == "mine"
    assert LABELS.dataset("local") == "local"


def test_cohorts_are_named_with_their_modality():
    assert LABELS.cohort("brats21", "t2") == "BraTS21 T2"
    assert LABELS.cohort(AVERAGE, "") == "Mean"


def test_a_lesion_set_of_several_modalities_is_named_with_one():
    assert LABELS.lesion_set("brats21", "t1") == "BraTS21 T1"
    assert LABELS.lesion_set("ixi", "t1") == "IXI"


def test_a_model_is_named_as_its_method_and_pretraining_by_what_it_is():
    assert LABELS.model("ddpm") == "DDPM"
    assert LABELS.model("pretraining") == "SparK pretraining"


@pytest.mark.parametrize(
    ("metric", "label"),
    [("dice", "Dice %"), ("ratio_to_ddpm_ens", "Ratio to DDPM ENS"), ("my_metric", "my_metric")],
)
def test_metrics_have_units_and_ratios_a_reference(metric, label):
    assert LABELS.metric(metric) == label
