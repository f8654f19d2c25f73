import pytest

from brainuad.evaluation.summaries import AVERAGE
from brainuad.report.names import dataset_name, method_name, model_name


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("thresh", "Thresh"),
        ("ddpm_ens", "DDPM ENS"),
        ("cddpm_ssl_ens", "cDDPM SSL ENS"),
        ("anogan", "AnoGAN"),
        ("pddpm_ens", "pDDPM ENS"),
        ("mine", "mine"),
        ("mine_ens", "mine ENS"),
    ],
)
def test_method_names(method, name):
    assert method_name(method) == name


def test_dataset_names():
    assert dataset_name("brats21", "t2") == "BraTS21 T2"
    assert dataset_name("local") == "local"
    assert dataset_name(AVERAGE) == "Mean"


def test_a_model_is_named_as_its_method_and_pretraining_by_what_it_is():
    assert model_name("cddpm_ssl") == "cDDPM SSL"
    assert model_name("pretraining") == "SparK pretraining"
