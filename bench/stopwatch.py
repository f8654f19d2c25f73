"""How a real training spends its time."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from statistics import fmean
from typing import Any
from unittest.mock import patch

import torch
from torch import nn
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

import brainuad.training.loop
from brainuad.models.checkpoints import Checkpoint


@dataclass(frozen=True)
class Lap:
    """One step of a training, timed from the end of the step before.

    seconds  in total, in the network (forward and backward passes and the optimiser), and in
             validations
    """

    seconds: float
    network: float
    validation: float


class Stopwatch:
    """Times the steps of a training after some to warm up, and then stops it by SIGTERM.

    `saving` is the time of the checkpoint that the signal causes, in seconds.
    """

    def __init__(self, *, warm_up: int, steps: int) -> None:
        self.laps: list[Lap] = []
        self.saving = 0.0
        self._warm_up, self._last = warm_up, warm_up + steps
        self._taken = 0
        self._lap_began = self._optimizer_began = 0.0
        self._spent = dict.fromkeys(("network", "validation", "saving"), 0.0)

    @property
    def step(self) -> float:
        """Seconds of the best step without validations."""
        return min(lap.seconds - lap.validation for lap in self.laps)

    @property
    def network(self) -> float:
        """Seconds of the best step in the network."""
        return min(lap.network for lap in self.laps)

    @property
    def loop(self) -> float:
        """Mean seconds of a step outside the network, the log of an epoch included."""
        return fmean(lap.seconds - lap.network - lap.validation for lap in self.laps)

    @contextmanager
    def watching(self, network: nn.Module) -> Iterator[None]:
        """Time a training of the network inside the `with` block."""
        timed = [
            (brainuad.training.loop, "validate", "validation"),
            (Checkpoint, "save", "saving"),
            (torch.Tensor, "backward", "network"),
            *((part, "forward", "network") for part in network.children()),
        ]
        with ExitStack() as stack:
            for owner, function, name in timed:
                timing = self._timing(name, getattr(owner, function))
                stack.enter_context(patch.object(owner, function, timing))
            stack.callback(register_optimizer_step_pre_hook(self._begin_optimizer).remove)
            stack.callback(register_optimizer_step_post_hook(self._end_step).remove)
            # Raised when the signal stops the training.
            with suppress(SystemExit):
                yield
        self.saving = self._spent["saving"]

    def _timing(self, name: str, function: Callable) -> Callable:
        """The same function, which adds its seconds to those spent in `name`."""

        def timed(*arguments: Any, **options: Any) -> Any:
            before = dict(self._spent)
            started = time.perf_counter()
            returned = function(*arguments, **options)
            # Functions timed inside it, such as the forward passes of a validation, count here.
            self._spent = before | {name: before[name] + time.perf_counter() - started}
            return returned

        return timed

    def _begin_optimizer(self, *_: object) -> None:
        self._optimizer_began = time.perf_counter()

    def _end_step(self, *_: object) -> None:
        now = time.perf_counter()
        self._spent["network"] += now - self._optimizer_began
        self._taken += 1
        if self._taken > self._warm_up:
            self.laps.append(
                Lap(
                    seconds=now - self._lap_began,
                    network=self._spent["network"],
                    validation=self._spent["validation"],
                )
            )
        self._lap_began = now
        self._spent.update(network=0.0, validation=0.0)
        if self._taken == self._last:
            signal.raise_signal(signal.SIGTERM)
