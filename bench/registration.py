"""Accuracy and cost of linear registration to the template, on brains with a known transform.

    PYTHONPATH=scripts python bench/registration.py [spacing in mm, 1] [seeds, 2]

There are four brains per seed. Seconds are CPU time of one thread; the reference is the
released setting.
"""

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import yaml
from measuring import PROJECT, Row
from moved_brains import distances, moved_brains, template_brain

from brainuad.config.preprocessing import LinearRegistration
from brainuad.config.settings import settings_from
from brainuad.phantoms.template import load_template
from brainuad.preprocessing.registration import load_ants, register_linear

RELEASED = LinearRegistration(
    transform="Affine",
    rigid_start=False,
    iterations=(2100, 1200, 1200, 10),
    shrink_factors=(6, 4, 2, 1),
    smoothing_sigmas=(3, 2, 1, 0),
    sampling_rate=0.2,
    label_interpolation="nearest",
)


def default() -> LinearRegistration:
    """The setting of config/config.yaml."""
    config = yaml.safe_load((PROJECT / "config" / "config.yaml").read_text(encoding="utf-8"))
    return settings_from(LinearRegistration, config["preprocessing"]["registration"])


def candidates() -> dict[str, LinearRegistration]:
    """The settings to compare by name; ANTs calls the two coarse levels alone AffineFast."""
    coarse = replace(
        RELEASED, iterations=(2100, 1200), shrink_factors=(6, 4), smoothing_sigmas=(3, 2)
    )
    return {
        "released": RELEASED,
        "default": default(),
        "default, fewer samples": replace(default(), sampling_rate=0.02),
        "released, samples as default": replace(RELEASED, sampling_rate=default().sampling_rate),
        "AffineFast": coarse,
        "rigid start, AffineFast": replace(coarse, rigid_start=True),
    }


def measured(
    settings: dict[str, LinearRegistration], *, spacing: float, seeds: int
) -> pd.DataFrame:
    """One row per brain and setting: seconds, and mean_error and max_error over the brain (mm)."""
    load_ants()
    template = load_template()
    target, points = template_brain(template, spacing)
    rows = []
    for brain in moved_brains(template, spacing, seeds=seeds):
        for name, setting in settings.items():
            with tempfile.TemporaryDirectory() as folder:
                matrix = Path(folder) / "to_template.mat"
                started = time.process_time()
                register_linear(target, brain.scan, settings=setting, matrix=matrix)
                seconds = time.process_time() - started
                error = distances(matrix, brain.truth, points)
            row = {"contrast": brain.contrast, "anatomy": brain.anatomy, "setting": name}
            rows.append(
                row | {"seconds": seconds, "mean_error": error.mean(), "max_error": error.max()}
            )
    return pd.DataFrame(rows)


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """For each setting: mean seconds, their ratio to the released, and errors by anatomy (mm)."""
    means = rows.groupby("setting", sort=False)["seconds"].mean().to_frame()
    means["of_released"] = means["seconds"] / means.loc["released", "seconds"]
    errors = rows.pivot_table(
        index="setting",
        columns="anatomy",
        values=["mean_error", "max_error"],
        aggfunc={"mean_error": "mean", "max_error": "max"},
    )
    errors.columns = [f"{measure}_{anatomy}_anatomy" for measure, anatomy in errors.columns]
    return means.join(errors).reset_index()


def rows(*, spacing: float = 2.0, seeds: int = 2) -> list[Row]:
    """Error and seconds of the config's setting and of the released one."""
    compared = {name: candidates()[name] for name in ("released", "default")}
    costs = measured(compared, spacing=spacing, seeds=seeds)
    brains = f"registration of {4 * seeds} brains of {spacing:g} mm that were moved"
    means = costs.groupby("setting")[["seconds", "mean_error", "max_error"]].mean()
    return [
        Row(
            f"{brains}: {what}",
            means.loc["default", column],
            unit,
            reference="the released setting",
            reference_value=means.loc["released", column],
        )
        for what, column, unit in (
            ("seconds of each", "seconds", "s"),
            ("mean error in the brain", "mean_error", "mm"),
            ("largest error in the brain", "max_error", "mm"),
        )
    ]


def main() -> None:
    spacing = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    rows = measured(candidates(), spacing=spacing, seeds=seeds)
    print(rows.round(3).to_string(index=False))
    print(f"\n{4 * seeds} brains of {spacing:g} mm")
    print(summary(rows).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
