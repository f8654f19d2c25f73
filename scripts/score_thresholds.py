"""Score the test subjects of one cohort at the thresholds of all lesion sets of its modality.

They are also scored at the thresholds from healthy voxels, and at the best one for themselves.
"""

from pathlib import Path
from typing import Any

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.config.settings import settings_from
from brainuad.datasets.partitions import TEST, scans_of
from brainuad.evaluation.thresholds import ON_TEST, best_threshold_on_test, scores_at
from brainuad.images.computed_volumes import read_anomaly_maps, scans_with
from brainuad.images.slices import read_slices
from brainuad.io import job
from brainuad.io.json_files import read_json
from brainuad.io.rows import read_rows, write_rows


def main(
    *,
    slices: Path,
    split: Path,
    anomaly_maps: Path,
    thresholds: list[Path],
    healthy_threshold: Path,
    output: Path,
    fitted_on: list[str],
    modality: str,
    postprocessing: dict[str, Any],
) -> None:
    """Write a tidy table: subject, session, modality, fitted_on, metric, value.

    `fitted_on` names the data set of each threshold. The table has two more sources: "test" is the
    best threshold on these subjects, and ON_HEALTHY names the thresholds from healthy voxels.
    """
    settings = settings_from(PostprocessingSettings, postprocessing)
    values = {
        name: read_json(path)["threshold"] for name, path in zip(fitted_on, thresholds, strict=True)
    }
    values |= read_json(healthy_threshold)["thresholds"]
    names = scans_of(read_rows(split), TEST)
    pairs = scans_with(read_slices(slices), read_anomaly_maps(anomaly_maps), names)
    # The maps are read twice: those of a whole test set may not fit into memory.
    best = best_threshold_on_test((anomaly_map, scan.lesions) for scan, anomaly_map in pairs)
    job.log(f"best threshold on test {best.value:.6g}, Dice {best.dice:.4f}")
    values[ON_TEST] = best.value
    rows = [
        (scan.subject, scan.session, modality, *row)
        for scan, anomaly_map in pairs
        for row in scores_at(
            anomaly_map, scan.lesions, scan.voxel_ml, thresholds=values, settings=settings
        )
    ]
    columns = ["subject", "session", "modality", "fitted_on", "metric", "value"]
    write_rows(columns, rows, output)
    job.log(f"{len(pairs)} test scans scored at {len(values)} thresholds")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            anomaly_maps=Path(snakemake.input.anomaly_maps),
            thresholds=[Path(path) for path in snakemake.input.thresholds],
            healthy_threshold=Path(snakemake.input.healthy_threshold),
            output=Path(snakemake.output.scores),
            fitted_on=list(snakemake.params.fitted_on),
            modality=snakemake.params.modality,
            postprocessing=snakemake.params.postprocessing,
        )
