"""Postprocessing with one of its steps left out (the paper's ablation)."""

from dataclasses import replace

from brainuad.config.evaluation import PostprocessingSettings

ALL_STEPS = "all steps"


def variants_of(settings: PostprocessingSettings) -> dict[str, PostprocessingSettings]:
    """All steps, and each of them left out; a step that is not taken anyway is no variant."""
    variants = {ALL_STEPS: settings}
    if settings.minimum_component > 1:
        variants["without components"] = replace(settings, minimum_component=1)
    if "median" in settings.order and settings.median_size > 1:
        variants["without median filter"] = replace(settings, median_size=1)
    if "erosion" in settings.order and settings.erosion_iterations > 0:
        # ASSUME: without erosion the brain mask is kept as it is; outside the brain nothing scores.
        variants["without erosion"] = replace(settings, erosion_iterations=0)
    return variants


def sharing_maps(
    variants: dict[str, PostprocessingSettings],
) -> list[dict[str, PostprocessingSettings]]:
    """The variants in groups of the same anomaly maps: components come after maps and threshold."""
    groups: dict[PostprocessingSettings, dict[str, PostprocessingSettings]] = {}
    for variant, settings in variants.items():
        groups.setdefault(replace(settings, minimum_component=1), {})[variant] = settings
    return list(groups.values())
