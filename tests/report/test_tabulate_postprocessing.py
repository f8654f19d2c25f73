import pandas as pd
import pytest

import tabulate_postprocessing
from brainuad.io.tables import read_table, write_table

BOOTSTRAP = {"rounds": 50, "confidence": 0.95, "seed": 0}


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
    outputs = {ending: tmp_path / f"table.{ending}" for ending in ("tsv", "html", "tex")}
    tabulate_postprocessing.main(
        scores=[tmp_path / f"{method}.tsv" for method in dices],
        methods=list(dices),
        folds=[0, 0],
        datasets=["wmh", "wmh"],
        bootstrap=BOOTSTRAP,
        **outputs,
    )
    table = read_table(outputs["tsv"]).set_index(["method", "variant"])
    assert table.loc[("cddpm", "without components"), "difference"] == pytest.approx(-0.3)
    assert table["difference"].isna().sum() == 2
    latex = outputs["tex"].read_text(encoding="utf-8")
    rows = [line for line in latex.splitlines() if "DDPM" in line]
    assert rows[0].startswith("all steps & DDPM") and rows[1].startswith(" & cDDPM")
    assert r"\textbf{60.0} $\pm$ --\\{\scriptsize [50.0, 70.0]}" in rows[1]
    assert rows[2].startswith("without components & DDPM")
    assert r"\textbf{40.0} $\pm$ --\\{\scriptsize +10.0}" in rows[2]
    assert r"30.0 $\pm$ --\\{\scriptsize $-$30.0}" in rows[3]
    page = outputs["html"].read_text(encoding="utf-8")
    assert "thresholds were fitted anew" in page
