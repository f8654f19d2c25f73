"""Try out the settings of every model and score before anything else runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from brainuad.io import job
from brainuad.io.errors import SettingsError
from brainuad.io.rows import write_rows
from brainuad.scores import load_score, needs_samples
from brainuad.scores.scoring import try_out
from brainuad.training.model_checks import check_model

GIB = 2**30
COLUMNS = ["model", "parameters", "step_gib"]


def main(
    *,
    sizes: Path,
    methods: dict[str, dict[str, Any]],
    models: dict[str, dict[str, Any]],
    pretraining: dict[str, Any] | None,
    size: tuple[int, int],
) -> None:
    """Write a row per model: its parameters, and the memory of a training step in float32, in GiB.

    methods      by name: model, samples, score
    models       by name: kind, settings, training, pretrained (a file, where there is one already),
                 the last timestep that it reconstructs from, and the largest number of samples
    pretraining  the settings of SparK: network, training; None if no model starts from its encoder
    size         rows and columns of the slices
    """
    for name, method in methods.items():
        check_score(name, **method, size=size)
    blocks = {f"models.{name}": block for name, block in models.items()}
    if pretraining is not None:
        blocks["pretraining"] = {
            "kind": "spark",
            "settings": pretraining["network"],
            "training": pretraining["training"],
            "pretrained": None,
            "timestep": None,
        }
    rows = [sized(name, block, size) for name, block in blocks.items()]
    write_rows(COLUMNS, rows, sizes)


def check_score(
    name: str,
    *,
    model: str | None,
    samples: int,
    score: dict[str, Any],
    size: tuple[int, int],
) -> None:
    """Raise SettingsError if a score rejects its settings, needs what the method lacks, or fails.

    It is tried on a made-up scan with slices of the size.
    """
    with naming(f"config: methods.{name}.score"):
        chosen = load_score(score)
    if chosen.needs_reconstruction and model is None:
        raise SettingsError(
            f"config: methods.{name}: the score {score['kind']} compares a scan with its "
            "reconstruction; name a model"
        )
    if needs_samples(chosen) and samples == 1:
        raise SettingsError(
            f"config: methods.{name}.samples: the score {score['kind']} compares a scan with "
            "several reconstructions of it; ask for 2 or more"
        )
    with naming(f"config: methods.{name}.score"):
        try_out(chosen, size, samples=None if model is None else samples)


@contextmanager
def naming(key: str) -> Iterator[None]:
    """Make each error one line that names the key; the code of a score may be the reader's own."""
    try:
        yield
    except SettingsError as error:
        raise SettingsError(f"{key}: {error}") from error
    except Exception as error:
        reason = " ".join(str(error).split())
        raise SettingsError(f"{key}: {type(error).__name__}: {reason}") from error


def sized(name: str, block: dict[str, Any], size: tuple[int, int]) -> tuple[str, int, float]:
    """The row of a model; SettingsError names its key in the config."""
    try:
        found = check_model(**block, size=size)
    except SettingsError as error:
        raise SettingsError(f"config: {name}: {error}") from error
    memory = round(found.step_memory / GIB, 3)
    job.log(f"{name}: {found.parameters:,} parameters, about {memory} GiB in a step in float32")
    return name, found.parameters, memory


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            sizes=Path(snakemake.output.sizes),
            methods=snakemake.params.methods,
            models=snakemake.params.models,
            pretraining=snakemake.params.pretraining,
            size=tuple(snakemake.params.size),
        )
