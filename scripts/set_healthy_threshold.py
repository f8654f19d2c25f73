"""The threshold that 1 % of the voxels of healthy validation brains exceed, of one method."""

import json
from pathlib import Path
from typing import Any

from brainuad import job
from brainuad.evaluation.postprocess import PostprocessingSettings, anomaly_map_of, cases_of
from brainuad.evaluation.thresholds import HEALTHY_SHARE, healthy_scores
from brainuad.settings import settings_from
from brainuad.slices import read_reconstructions, read_slices
from brainuad.splits import VALIDATION, subjects_of
from brainuad.tables import read_table


def main(
    *,
    slices: Path,
    split: Path,
    reconstructions: Path,
    thresholds: list[Path],
    output: Path,
    fitted_on: list[str],
    postprocessing: dict[str, Any],
) -> None:
    """Write it as JSON, with the shares of healthy voxels above the fitted thresholds.

    `fitted_on` names the lesion set of each of the `thresholds`.
    """
    settings = settings_from(PostprocessingSettings, postprocessing)
    subjects = subjects_of(read_table(split), VALIDATION)
    cases = cases_of(read_slices(slices), read_reconstructions(reconstructions), subjects)
    healthy = healthy_scores(
        (anomaly_map_of(case, settings) for case in cases), (case.brain_mask for case in cases)
    )
    content = {
        "threshold": healthy.threshold_at(HEALTHY_SHARE),
        "share": HEALTHY_SHARE,
        "subjects": len(cases),
        "brain_voxels": healthy.voxels,
        "share_above": {
            name: healthy.share_above(json.loads(path.read_text(encoding="utf-8"))["threshold"])
            for name, path in zip(fitted_on, thresholds, strict=True)
        },
    }
    job.log(f"threshold {content['threshold']:.6g} from {len(cases)} healthy subjects")
    with job.replacing(output) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            slices=Path(snakemake.input.slices),
            split=Path(snakemake.input.split),
            reconstructions=Path(snakemake.input.reconstructions),
            thresholds=[Path(path) for path in snakemake.input.thresholds],
            output=Path(snakemake.output[0]),
            fitted_on=list(snakemake.params.fitted_on),
            postprocessing=snakemake.params.postprocessing,
        )
