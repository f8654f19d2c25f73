"""Which device is chosen, and that a GPU is made to repeat itself."""

import pytest
import torch

from brainuad.device import prepare_device
from brainuad.errors import SettingsError


@pytest.fixture
def a_gpu(monkeypatch):
    """Torch believes in a GPU; what is switched for it is switched back."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    attention = torch.backends.cuda
    before = (
        attention.flash_sdp_enabled(),
        attention.mem_efficient_sdp_enabled(),
        attention.cudnn_sdp_enabled(),
    )
    benchmark = torch.backends.cudnn.benchmark
    yield
    attention.enable_flash_sdp(before[0])
    attention.enable_mem_efficient_sdp(before[1])
    attention.enable_cudnn_sdp(before[2])
    torch.backends.cudnn.benchmark = benchmark
    torch.use_deterministic_algorithms(False)


def test_a_gpu_computes_attention_by_the_deterministic_kernel_alone(a_gpu):
    assert prepare_device("auto", 1) == torch.device("cuda")
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.backends.cuda.math_sdp_enabled()
    assert not torch.backends.cuda.flash_sdp_enabled()
    assert not torch.backends.cuda.mem_efficient_sdp_enabled()
    assert not torch.backends.cuda.cudnn_sdp_enabled()


def test_the_processor_is_taken_where_it_is_asked_for(a_gpu):
    assert prepare_device("cpu", 1) == torch.device("cpu")
    assert torch.backends.cuda.mem_efficient_sdp_enabled()


def test_another_name_is_refused():
    with pytest.raises(SettingsError, match="device: 'gpu' is not one of auto, cpu, cuda"):
        prepare_device("gpu", 1)
