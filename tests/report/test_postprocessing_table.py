import pandas as pd
import pytest
from small_report import REGISTER, texts_of, write_small_table

from brainuad.io.tables import write_table
from brainuad.scores.postprocessing_variants import ALL_STEPS


def test_table_by_hand(tmp_path):
    dices = {
        "ddpm": {"all steps": [0.2, 0.4], "without components": [0.3, 0.5]},
        "cddpm": {"all steps": [0.5, 0.7], "without components": [0.2, 0.4]},
    }
    for method, variants in dices.items():
        rows = [
            (f"s{place}", "t1", variant, "dice", value)
            for variant, values in variants.items()
            for place, value in enumerate(values)
        ]
        columns = ["subject", "modality", "variant", "metric", "value"]
        write_table(pd.DataFrame(rows, columns=columns), tmp_path / f"{method}.tsv")
    files = write_small_table(
        "postprocessing",
        tmp_path,
        scores=[tmp_path / f"{method}.tsv" for method in dices],
        methods=list(dices),
        folds=[0, 0],
        datasets=["wmh", "wmh"],
    )
    table, page, latex = texts_of(files)
    table = table.set_index(["method", "variant"])
    assert table.loc[("cddpm", "without components"), "difference"] == pytest.approx(-0.3)
    assert table["difference"].isna().sum() == 2
    rows = [line for line in latex.splitlines() if "DDPM" in line]
    assert rows[0].startswith("all steps & DDPM") and rows[1].startswith(" & cDDPM")
    assert r"\textbf{60.0}\\{\scriptsize [50.0, 70.0]}" in rows[1]
    assert rows[2].startswith("without components & DDPM")
    assert r"\textbf{40.0}\\{\scriptsize +10.0}" in rows[2]
    assert r"30.0\\{\scriptsize $-$30.0}" in rows[3]
    assert "thresholds were fitted again" in page


def test_the_register_names_the_variant_that_the_others_are_held_against():
    assert REGISTER.tables["postprocessing"].params["reference"] == ALL_STEPS
