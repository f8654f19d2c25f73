"""Where networks are computed: no rule's param, since a change makes nothing anew."""

from typing import Any

# What `gpu` says changes nothing on a CPU.
CPU = {"name": "cpu", "precision": "fp32", "compile": False, "deterministic": True}


def device_of(config: dict[str, Any]) -> dict[str, Any]:
    """The values of DeviceSettings; its precision, which decides numbers, is a param too."""
    return CPU if config["device"] == "cpu" else {"name": "cuda", **config["gpu"]}
