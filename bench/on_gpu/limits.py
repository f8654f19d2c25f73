"""Memory: the paper's training step on smaller GPUs, and a data set as large as BraTS21."""

import sys
import time

import torch
from cohort import VOLUMES, write_cohort
from measuring import Row, peak_memory_mib

from brainuad.compute.compilation import compile_costly_parts
from brainuad.images.slices import read_slices
from brainuad.inference.reconstruction import reconstruct_scans
from brainuad.training.steps import rehearse_step
from on_gpu import part, rows, setting

CARDS = (24, 16, 12)


def main() -> None:
    deadline = time.monotonic() + float(sys.argv[2]) - 5
    # At the same time, since their speed is not measured.
    parts = [
        part.started("on_gpu.limits", "steps_on_cards", compiled=True),
        part.started("on_gpu.limits", "steps_on_cards", compiled=False),
        part.started("on_gpu.limits", "large_data_set"),
    ]
    codes = []
    for process in parts:
        codes.append(process.wait(max(0.1, deadline - time.monotonic())))
    if any(codes):
        sys.exit(f"exit codes {codes}")


def steps_on_cards(compiled: bool) -> None:
    """Whether a step of the whole batch fits GPUs of these sizes in GB, largest first."""
    place = setting.device(compile=compiled and not rows.is_dry())
    training = setting.build_training("cddpm", place, place.eager_format)
    draws = {"settings": training.settings, "seed": 0, "device": place}
    compile_costly_parts(
        training.model.network,
        place,
        lambda: rehearse_step(training.model, training.images, **draws),
    )
    name = "compiled" if compiled else "eager"
    for card in CARDS:
        fits = 1.0
        if not rows.is_dry():
            total = torch.cuda.get_device_properties(0).total_memory
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            torch.cuda.set_per_process_memory_fraction(min(1.0, card * 2**30 / total))
        try:
            for number in range(2):
                training.step(number)
            if not rows.is_dry():
                torch.cuda.synchronize()
        except torch.OutOfMemoryError:
            fits = 0.0
        memory = None if rows.is_dry() else torch.cuda.max_memory_allocated() / 2**20
        what = f"step of cDDPM, {setting.batch_size()} slices, {name}, on a card of {card} GB: fits"
        rows.write(Row(what, fits, "1 for yes", memory))
        if not fits:
            break


def large_data_set() -> None:
    """Memory of GPU and host for as many volumes as BraTS21 has, at one timestep."""
    place = setting.device(compile=not rows.is_dry())
    training = setting.build_training("cddpm", place, place.eager_format)
    model = training.model
    del training
    model.network.eval()
    volumes = 3 if rows.is_dry() else VOLUMES
    folder = rows.work_folder() / "cohort"
    folder.mkdir()
    subjects = write_cohort(folder, volumes=volumes, grid=setting.size().grid)
    stack = read_slices(folder / "slices.npz")
    before = peak_memory_mib()
    started = time.monotonic()
    if not rows.is_dry():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    for _ in reconstruct_scans(model, stack, subjects, timesteps=[500], seed=0, device=place):
        pass
    seconds = time.monotonic() - started
    name = f"{volumes} volumes at one timestep"
    memory = None if rows.is_dry() else torch.cuda.max_memory_allocated() / 2**20
    rows.write(Row(f"{name}: seconds, compiling included", seconds, "s", memory))
    rows.write(Row(f"{name}: memory of the host", peak_memory_mib() - before, "MiB"))


if __name__ == "__main__":
    main()
