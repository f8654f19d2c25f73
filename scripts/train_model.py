"""Train one model on the healthy slices of one modality and fold."""

from operator import itemgetter
from pathlib import Path
from typing import Any

import torch

from brainuad.compute.device import prepare_device
from brainuad.config.device import DeviceSettings, device_of
from brainuad.config.models import TrainingSettings
from brainuad.config.settings import settings_from
from brainuad.datasets.partitions import scans_of
from brainuad.images.slices import read_slices
from brainuad.io import job
from brainuad.io.rows import read_rows, write_rows
from brainuad.io.seeds import derive_seed
from brainuad.models import build_trainable, start_from
from brainuad.models.checkpoints import Checkpoint, write_weights
from brainuad.training.loop import HISTORY_COLUMNS, MACHINE_COLUMNS, train


def main(
    *,
    slices: Path,
    split: Path,
    pretrained: Path | None,
    weights: Path,
    history: Path,
    machines: Path,
    kind: str,
    settings: dict[str, Any],
    training: dict[str, Any],
    seed: int,
    device: dict[str, Any],
    checkpoint_minutes: float,
    threads: int,
    code: str,
) -> None:
    """Write the weights with the lowest validation loss, and the settings to rebuild the network.

    `history` gets the losses of each epoch, `machines` a row for each machine and the step at which
    it started. `code` is a digest of the code that determines the result: a checkpoint of other
    code is not resumed.
    """
    torch.manual_seed(derive_seed(seed, "weights"))
    model = build_trainable(kind, settings)
    if pretrained is not None:
        start_from(pretrained, model)
    checkpoint = Checkpoint(weights.with_name("checkpoint.pt"))
    chosen_device = prepare_device(settings_from(DeviceSettings, device), threads)
    stack, partitions = read_slices(slices), read_rows(split)
    healthy, held_out = (
        torch.from_numpy(stack.select(scans_of(partitions, partition)).images)
        for partition in ("train", "validation")
    )
    progress = train(
        model,
        training_images=healthy,
        validation_images=held_out,
        settings=settings_from(TrainingSettings, training),
        seed=seed,
        device=chosen_device,
        checkpoint=checkpoint,
        checkpoint_minutes=checkpoint_minutes,
        model_settings={"kind": kind, **settings},
        code=code,
    )
    record = {
        "settings": training,
        "seed": seed,
        "best_step": progress.best_step,
        "machines": progress.machines,
    }
    write_weights(weights, kind=kind, settings=settings, state=progress.best, training=record)
    write_rows(HISTORY_COLUMNS, map(itemgetter(*HISTORY_COLUMNS), progress.history), history)
    write_rows(MACHINE_COLUMNS, map(itemgetter(*MACHINE_COLUMNS), progress.machines), machines)
    checkpoint.remove()


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            pretrained=Path(given[0]) if (given := snakemake.params.pretrained) else None,
            weights=Path(snakemake.output.weights),
            history=Path(snakemake.output.history),
            machines=Path(snakemake.output.machines),
            kind=snakemake.params.kind,
            settings=snakemake.params.settings,
            training=snakemake.params.training,
            # A seed for each fold: the spread over folds then includes the randomness of training.
            seed=derive_seed(
                snakemake.params.seed, snakemake.wildcards.modality, int(snakemake.wildcards.fold)
            ),
            device=device_of(snakemake.config),
            checkpoint_minutes=snakemake.resources.checkpoint_minutes,
            threads=snakemake.threads,
            code=snakemake.params.code,
        )
