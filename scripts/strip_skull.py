"""A batch of resampled scans without their skulls, and the brain masks; HD-BET stands apart."""

from enum import StrEnum
from functools import partial
from pathlib import Path

import numpy as np

from brainuad import job
from brainuad.errors import SettingsError
from brainuad.preprocessing.batches import process_batch
from brainuad.preprocessing.geometry import head_mask
from brainuad.preprocessing.registration import carry_brain_mask
from brainuad.preprocessing.skull import strip_scan
from brainuad.volumes import Volume, read_labels, read_volume


class Method(StrEnum):
    """Where the brain mask comes from."""

    TEMPLATE = "template"
    NONE = "none"


def main(
    *,
    scans: Path,
    output: Path,
    method: str,
    template: Path | None,
    template_brain_mask: Path | None,
) -> None:
    """Write masked image, brain mask and lesions of each subject of the batch."""
    if method not in list(Method):
        raise SettingsError(f"skull_stripping: {method!r}: strip_skull takes template or none")
    if method == Method.NONE:
        mask_of = mask_of_stripped
    elif template is None or template_brain_mask is None:
        raise SettingsError("skull_stripping: template needs head_template with its brain mask")
    else:
        head = read_volume(template)
        brain_mask = read_labels(template_brain_mask, expected=(1,), grid=head)
        mask_of = partial(carry_brain_mask, head=head, brain_mask=brain_mask)
    process_batch(
        scans,
        output,
        stage="stripped",
        process=partial(strip_scan, mask_of=mask_of),
    )


def mask_of_stripped(scan: Volume) -> np.ndarray:
    """The brain mask of a scan that comes stripped, uint8."""
    # ASSUME: such a data set needs no mask of its own: the largest part above 0 is the brain.
    return head_mask(scan.data)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        template, brain_mask = snakemake.params.template or (None, None)
        main(
            scans=Path(snakemake.input.scans),
            output=Path(snakemake.output[0]),
            template=template,
            template_brain_mask=brain_mask,
            method=snakemake.params.method,
        )
