"""Prepare the CPU as the rules that train do."""

import os
from typing import Any

import torch

from brainuad.compute.device import Device, prepare_device
from brainuad.config.device import DeviceSettings
from brainuad.config.settings import settings_from


def prepared_cpu(config: dict[str, Any]) -> Device:
    """Use as many threads as the config gives a training, or as there are cores."""
    # The rules' settings for a CPU, whatever the config sets for a GPU.
    settings = {"name": "cpu", "precision": "fp32", "compile": False, "deterministic": True}
    threads = min(config["threads_per_training"], len(os.sched_getaffinity(0)))
    return prepare_device(settings_from(DeviceSettings, settings), threads)


def threads_in_words() -> str:
    """The number of torch's threads in words, for the name of a row."""
    count = torch.get_num_threads()
    return f"{count} thread{'s' * (count > 1)}"
