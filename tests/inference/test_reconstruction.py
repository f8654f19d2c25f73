"""Whole volumes: when it pays to compile; see test_methods for what is painted."""

import pytest
from method_checks import PROCESSOR, build
from small_training import DDPM, discs

from brainuad.inference import reconstruction
from brainuad.inference.reconstruction import reconstruct_volumes

PDDPM = {key: DDPM[key] for key in ("network", "noise", "schedule")} | {"grid": [2, 2]}


@pytest.mark.parametrize(
    ("kind", "settings", "passes"),
    [("diffusion", DDPM, 3 * 4 * 2), ("patched_diffusion", PDDPM, 3 * 4 * 2 * 4)],
    ids=["ddpm", "pddpm"],
)
def test_every_pass_counts_when_compiling_is_weighed(monkeypatch, kind, settings, passes):
    method, compiled = build(kind, settings), []
    monkeypatch.setattr(
        reconstruction, "compile_costly_parts", lambda network, *_: compiled.append(network)
    )
    images = discs(3, 4, size=32).numpy()
    # Three volumes of four slices at two timesteps, and of each the four patches.
    for pays in (passes, passes + 1):
        monkeypatch.setattr(reconstruction, "COMPILING_PAYS", pays)
        reconstruct_volumes(method, images, "abc", timesteps=[250, 500], seed=0, device=PROCESSOR)
    assert compiled == [method.network]
