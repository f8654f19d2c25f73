"""Pretrain the encoder's backbone with SparK on the healthy slices of one modality and fold."""

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
from brainuad.models import build_with, spark
from brainuad.models.checkpoints import Checkpoint, write_weights
from brainuad.training.loop import HISTORY_COLUMNS, MACHINE_COLUMNS, train

BACKBONE = "backbone."


def main(
    *,
    slices: Path,
    split: Path,
    encoder: Path,
    history: Path,
    machines: Path,
    settings: dict[str, Any],
    seed: int,
    device: dict[str, Any],
    checkpoint_minutes: float,
    threads: int,
    code: str,
) -> None:
    """Write the backbone with the lowest validation loss; the decoder is discarded.

    settings has two parts: `network` (backbone, decoder, masking) and `training`. `code` is a
    digest of the code that determines the result: a checkpoint of other code is not resumed.
    """
    chosen_device = prepare_device(settings_from(DeviceSettings, device), threads)
    torch.manual_seed(derive_seed(seed, "weights"))
    pretraining = build_with(spark, settings["network"])
    stack, partitions = read_slices(slices), read_rows(split)
    healthy, held_out = (
        torch.from_numpy(stack.select(scans_of(partitions, partition)).images)
        for partition in ("train", "validation")
    )
    checkpoint = Checkpoint(encoder.with_name("checkpoint.pt"))
    progress = train(
        pretraining,
        training_images=healthy,
        validation_images=held_out,
        settings=settings_from(TrainingSettings, settings["training"]),
        seed=seed,
        device=chosen_device,
        checkpoint=checkpoint,
        checkpoint_minutes=checkpoint_minutes,
        model_settings={"kind": "spark", **settings["network"]},
        code=code,
    )
    write_weights(
        encoder,
        kind="spark",
        settings=settings["network"],
        state={
            name.removeprefix(BACKBONE): tensor
            for name, tensor in progress.best.items()
            if name.startswith(BACKBONE)
        },
        training={
            "settings": settings["training"],
            "seed": seed,
            "best_step": progress.best_step,
            "machines": progress.machines,
        },
    )
    write_rows(HISTORY_COLUMNS, map(itemgetter(*HISTORY_COLUMNS), progress.history), history)
    write_rows(MACHINE_COLUMNS, map(itemgetter(*MACHINE_COLUMNS), progress.machines), machines)
    checkpoint.remove()


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            encoder=Path(snakemake.output.encoder),
            history=Path(snakemake.output.history),
            machines=Path(snakemake.output.machines),
            settings=snakemake.params.settings,
            # A seed for each fold: the spread over folds then includes the randomness of training.
            seed=derive_seed(
                snakemake.params.seed, snakemake.wildcards.modality, int(snakemake.wildcards.fold)
            ),
            device=device_of(snakemake.config),
            checkpoint_minutes=snakemake.resources.checkpoint_minutes,
            threads=snakemake.threads,
            code=snakemake.params.code,
        )
