"""The paper's training step of cDDPM in its variants, each a part of the stage `fast`."""

import sys
import time
from dataclasses import dataclass

import torch
from measuring import Row
from peaks import matrix_rate

from brainuad.compute.compilation import compile_costly_parts
from brainuad.training.steps import rehearse_step
from on_gpu import part, rows, setting
from on_gpu.timing import peak_memory, seconds_of, wait

PEAK = "bf16 matrix products of 8192x8192"
PAPER_STEPS = 14_400


@dataclass(frozen=True)
class Variant:
    """A way to compute cDDPM's step.

    compiled  whole: the U-Net as one; blocks: each residual block by itself; graphs: whole, with
              CUDA graphs; None: eager
    """

    compiled: str | None
    channels_last: bool
    deterministic: bool

    @property
    def name(self) -> str:
        words = {
            None: "eager",
            "whole": "compiled",
            "blocks": "compiled block by block",
            "graphs": "compiled, CUDA graphs",
        }
        parts = [words[self.compiled], "channels last" if self.channels_last else "channels first"]
        return ", ".join(parts + ([] if self.deterministic else ["not deterministic"]))


PRODUCTION = Variant("whole", True, True)
VARIANTS = {
    "production": PRODUCTION,
    "eager": Variant(None, False, True),
    "eager_last": Variant(None, True, True),
    "blocks": Variant("blocks", True, True),
    "free": Variant("whole", True, False),
    "first": Variant("whole", False, True),
    "graphs": Variant("graphs", True, True),
}


def peak() -> None:
    """The peak rate of the GPU."""
    place = setting.device()
    if rows.is_dry():
        return
    with part.alone():
        rows.write(Row(PEAK, matrix_rate(place.torch) / 1e12, "TFLOP/s"))


def step(variant: str) -> None:
    """Milliseconds, share of the peak, memory and time to compile of a variant of the step."""
    chosen = VARIANTS[variant]
    place = setting.device(
        deterministic=chosen.deterministic,
        # A CPU compiles for a minute; the stage `whole` tries it once.
        compile=chosen.compiled is not None and not rows.is_dry(),
    )
    last = torch.channels_last if chosen.channels_last else torch.contiguous_format
    training = setting.build_training("cddpm", place, last)
    started = time.monotonic()
    compile_as(chosen, training)
    for number in range(3):
        training.step(number)
    wait()
    ready = time.monotonic() - started
    name = f"step of cDDPM: {chosen.name}"
    with part.alone():
        seconds = seconds_of(training.step, times=10)
    production = chosen is PRODUCTION
    rows.write(
        Row(name, 1000 * seconds, "ms", peak_memory(), goal="value <= 36" if production else None)
    )
    highest = rows.value_of(PEAK)
    if highest:
        rows.write(
            Row(
                f"{name}: rate",
                setting.step_flop() / seconds / 1e12,
                "TFLOP/s",
                reference=PEAK,
                reference_value=highest,
                goal="ratio >= 0.4" if production else None,
            )
        )
    if production:
        minutes = PAPER_STEPS * seconds / 60
        rows.write(Row(f"{PAPER_STEPS} such steps", minutes, "min", goal="value <= 10"))
    if chosen.compiled:
        rows.write(Row(f"{name}: until it runs, while others compile", ready, "s"))


def compile_as(chosen: Variant, training: setting.Training) -> None:
    """Compile in place what the variant compiles, as training does or could do."""
    network, place = training.model.network, training.place
    if not place.settings.compile:
        return
    if chosen is PRODUCTION or chosen == VARIANTS["free"]:
        draws = {"settings": training.settings, "seed": 0, "device": place}
        if not compile_costly_parts(
            network, place, lambda: rehearse_step(training.model, training.images, **draws)
        ):
            sys.exit("it was not compiled")
    elif chosen.compiled == "blocks":
        for module in network["unet"].modules():
            if type(module).__name__ in ("ResidualBlock", "SelfAttention"):
                module.compile(dynamic=False)
    else:
        mode = "reduce-overhead" if chosen.compiled == "graphs" else None
        network["unet"].compile(dynamic=False, mode=mode)


def price_of_determinism() -> None:
    """How many times longer a deterministic step takes, if both were timed."""
    kept = rows.value_of(f"step of cDDPM: {PRODUCTION.name}")
    free = rows.value_of(f"step of cDDPM: {VARIANTS['free'].name}")
    if kept and free:
        goal = "value <= 1.15"
        rows.write(Row("deterministic over not deterministic", kept / free, "times", goal=goal))
