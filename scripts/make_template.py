"""Write the template of the phantoms: the undeformed T1 head, its brain and brain mask, in RAS."""

from pathlib import Path

import numpy as np

from brainuad.io import job
from brainuad.phantoms.acquisition import Contrast, grid_axes, ideal_image, save, world_affine
from brainuad.phantoms.anatomy import average_head, tissues_on
from brainuad.phantoms.template import TEMPLATE_ORIGIN, TEMPLATE_SHAPE, load_template

SCALE = 1000  # white matter, .88 before scaling, keeps three digits as int16


def main(*, head: Path, brain: Path, brain_mask: Path, spacing: float) -> None:
    """Write the three volumes at `spacing` mm over the field of view of the ICBM152 files."""
    template = load_template()
    extent = np.array(TEMPLATE_SHAPE, float)
    axes = grid_axes(
        field_of_view=tuple(extent),
        spacing=(spacing,) * 3,
        centre=tuple(np.array(TEMPLATE_ORIGIN) + (extent - 1) / 2),
    )
    tissues = tissues_on(template, average_head(template), axes, stripped=False)
    image = ideal_image(tissues, Contrast.T1, rng=np.random.default_rng(0), spread=0.0)
    scaled = np.rint(SCALE * np.maximum(image, 0)).astype(np.int16)
    affine = world_affine(axes, pose=np.eye(3), shift=np.zeros(3))
    for path, values in (
        (head, scaled),
        (brain, scaled * tissues.brain),
        (brain_mask, tissues.brain.astype(np.uint8)),
    ):
        with job.replacing(path) as temporary:
            save(values, temporary, affine=affine, orientation="RAS")
    job.log(
        f"template: {scaled.shape} voxels, brain {tissues.brain.sum() * spacing**3 / 1e3:.0f} ml"
    )


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(
            head=Path(snakemake.output.head),
            brain=Path(snakemake.output.brain),
            brain_mask=Path(snakemake.output.brain_mask),
            spacing=snakemake.params.spacing,
        )
