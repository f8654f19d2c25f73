"""Which device is chosen, how it is made to compute, and copies that nothing waits for."""

import pytest
import torch

from brainuad.compute import gpus
from brainuad.compute.device import Device, prepare_device, to_device
from brainuad.config.device import DeviceSettings
from brainuad.config.settings import settings_from
from brainuad.io.errors import SettingsError

GPU = {"name": "cuda", "precision": "bf16", "compile": True, "deterministic": True}


def prepare(**changes):
    return prepare_device(settings_from(DeviceSettings, GPU | changes), 1)


@pytest.fixture
def two_gpus(monkeypatch):
    """Torch believes in two GPUs, the first is taken; what is switched is switched back."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(gpus, "visible_gpus", lambda: ("GPU-a", "GPU-b"))
    monkeypatch.setattr(gpus, "claim", {("GPU-a", "GPU-b"): 1}.__getitem__)
    chosen = []
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    attention, cudnn = torch.backends.cuda, torch.backends.cudnn
    kernels = (
        (attention.enable_flash_sdp, attention.flash_sdp_enabled()),
        (attention.enable_mem_efficient_sdp, attention.mem_efficient_sdp_enabled()),
        (attention.enable_cudnn_sdp, attention.cudnn_sdp_enabled()),
    )
    flags = cudnn.benchmark, cudnn.allow_tf32, attention.matmul.allow_tf32
    fill = torch.utils.deterministic.fill_uninitialized_memory
    yield chosen
    for enable, before in kernels:
        enable(before)
    cudnn.benchmark, cudnn.allow_tf32, attention.matmul.allow_tf32 = flags
    torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = fill


def test_the_gpu_that_is_claimed_is_the_one_that_is_used(two_gpus):
    assert prepare().torch == torch.device("cuda", 1)
    assert two_gpus == [1]


def test_a_deterministic_gpu_has_deterministic_kernels_alone(two_gpus):
    prepare()
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.utils.deterministic.fill_uninitialized_memory
    # Torch's compiler measures no kernels against each other.
    assert torch._inductor.config.deterministic
    assert not torch.backends.cudnn.benchmark
    assert torch.backends.cuda.math_sdp_enabled()
    assert not torch.backends.cuda.flash_sdp_enabled()
    assert not torch.backends.cuda.mem_efficient_sdp_enabled()
    assert not torch.backends.cuda.cudnn_sdp_enabled()


def test_another_gpu_takes_the_fastest_kernels(two_gpus):
    prepare(deterministic=False)
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.backends.cudnn.benchmark
    assert torch.backends.cuda.flash_sdp_enabled()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_float32_is_float32(two_gpus, precision):
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    prepare(precision=precision)
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32


def test_the_cpu_is_taken_where_it_is_asked_for(two_gpus):
    assert prepare(name="cpu").torch == torch.device("cpu")
    assert two_gpus == []
    assert torch.backends.cuda.mem_efficient_sdp_enabled()
    assert torch.get_num_threads() == 1


def test_a_gpu_that_is_not_there_is_one_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SettingsError, match=r"torch sees no GPU.* set device to cpu") as caught:
        prepare()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("key", "value"), [("name", "gpu"), ("precision", "fp16")])
def test_another_value_is_refused(key, value):
    with pytest.raises(SettingsError, match=f"{key}: '{value}' is not one of"):
        prepare(**{key: value})


@pytest.mark.parametrize(("precision", "kind"), [("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_networks_compute_in_the_precision_of_the_settings(precision, kind):
    settings = settings_from(DeviceSettings, GPU | {"name": "cpu", "precision": precision})
    with Device(torch.device("cpu"), settings).autocast():
        assert torch.nn.Linear(2, 2)(torch.ones(1, 2)).dtype == kind


def test_a_copy_to_a_gpu_is_pinned_and_not_waited_for(monkeypatch):
    called = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: called.append("pin") or tensor)
    monkeypatch.setattr(
        torch.Tensor, "to", lambda tensor, place, **how: called.append((place.type, how)) or tensor
    )
    to_device(torch.arange(3), torch.device("cpu"))
    to_device(torch.arange(3), torch.device("cuda"))
    to_device(torch.empty(3, device="meta"), torch.device("cuda"))
    copies = [("cpu", {}), "pin", ("cuda", {"non_blocking": True}), ("cuda", {})]
    assert called == copies


def test_a_tensor_without_memory_is_not_pinned():
    there = to_device(torch.arange(3), torch.device("meta"))
    assert there.device.type == "meta"
    assert to_device(there, torch.device("meta")) is there
