"""Where networks are computed: no rule's param, since a change makes nothing anew."""

from dataclasses import dataclass
from typing import Any, Literal

DeviceName = Literal["cuda", "cpu"]
# What `gpu` says changes nothing on a CPU.
CPU = {"name": "cpu", "precision": "fp32", "compile": False, "deterministic": True}


@dataclass(frozen=True)
class Gpu:
    """How a GPU computes.

    precision      of convolutions and matrix products, bf16 being what its matrix units are fastest
                   at; weights and losses are float32 in both
    compile        torch.compile where it pays; what does not compile runs as it is
    deterministic  it gives the same bits each time; a CPU always does
    """

    precision: Literal["bf16", "fp32"]
    compile: bool
    deterministic: bool


@dataclass(frozen=True)
class DeviceSettings(Gpu):
    """How networks are computed, and where."""

    name: DeviceName


def device_of(config: dict[str, Any]) -> dict[str, Any]:
    """The values of DeviceSettings; its precision, which decides numbers, is a param too."""
    return CPU if config["device"] == "cpu" else {"name": "cuda", **config["gpu"]}
