"""Where networks are computed. No rule has it as a param, since changing it must rerun nothing."""

from dataclasses import dataclass
from typing import Any, Literal

DeviceName = Literal["cuda", "cpu"]
# The values of `gpu` have no effect on a CPU.
CPU = {"name": "cpu", "precision": "fp32", "compile": False, "deterministic": True}


@dataclass(frozen=True)
class Gpu:
    """How a GPU computes.

    precision      of convolutions and matrix products; bf16 is the fastest, and weights and losses
                   are float32 with both
    compile        use torch.compile where it is faster; a network that does not compile runs anyway
    deterministic  results are bit-identical each time; on a CPU they always are
    """

    precision: Literal["bf16", "fp32"]
    compile: bool
    deterministic: bool


@dataclass(frozen=True)
class DeviceSettings(Gpu):
    """How networks are computed, and where."""

    name: DeviceName


def device_of(config: dict[str, Any]) -> dict[str, Any]:
    """The values of DeviceSettings; the precision, which changes results, is also a param."""
    return CPU if config["device"] == "cpu" else {"name": "cuda", **config["gpu"]}
