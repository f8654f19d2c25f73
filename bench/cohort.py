"""A packed cohort of BraTS21's size, and the memory in which it is reconstructed."""

import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from measuring import Row, in_own_process

from brainuad.io.stored_arrays import write_array, write_rows
from brainuad.io.tables import write_table
from brainuad.models import build_trainable
from brainuad.models.checkpoints import write_weights

VOLUMES, GRID = 1251, (50, 96, 96)
# A model that takes almost no memory itself.
TINY = {"size": GRID[1:], "channels": (2,), "latent": 1, "spatial": True, "kl_weight": None}


def write_cohort(folder: Path, *, volumes: int, grid: tuple[int, int, int]) -> list[str]:
    """Write slices.npz with noise and a split.tsv in which all are tested; return their names."""
    subjects = [f"subject{number:04}" for number in range(volumes)]
    image = np.random.default_rng(0).random(grid, dtype=np.float32)
    arrays = {"images": image, "brain_masks": image > 0, "lesions": np.zeros(grid, np.uint8)}
    with zipfile.ZipFile(folder / "slices.npz", "w") as archive:
        for name, volume in arrays.items():
            rows = (volume for _ in subjects)
            write_rows(archive, name, rows, shape=(volumes, *grid), dtype=volume.dtype)
        write_array(archive, "subjects", np.array(subjects))
        write_array(archive, "sessions", np.full(volumes, ""))
        write_array(archive, "affines", np.tile(np.eye(4), (volumes, 1, 1)))
        write_array(archive, "native_voxel_ml", np.full(volumes, np.nan))
    write_table(
        pd.DataFrame({"subject": subjects, "session": "", "partition": "test"}),
        folder / "split.tsv",
    )
    return subjects


def reconstructed() -> list[Row]:
    """The peak memory of `reconstruct`, without that of a real model."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_cohort(folder, volumes=VOLUMES, grid=GRID)
        torch.manual_seed(0)
        state = build_trainable("autoencoder", TINY).network.state_dict()
        weights = folder / "weights.pt"
        write_weights(weights, kind="autoencoder", settings=TINY, state=state, training={})
        arguments = {
            "slices": folder / "slices.npz",
            "split": folder / "split.tsv",
            "weights": weights,
            "output": folder / "reconstructions.npz",
            "partitions": ["test"],
            "timesteps": [500],
            "seed": 0,
            "device": {
                "name": "cpu",
                "precision": "fp32",
                "compile": False,
                "deterministic": True,
            },
            "threads": 1,
        }
        _, memory = in_own_process("stage", "run", script="reconstruct", arguments=arguments)
    what = f"memory to reconstruct {VOLUMES} volumes by a tiny model"
    return [Row(what, memory, "MiB", memory, goal="value <= 4096")]
