import math
from pathlib import Path

import pandas as pd
import pytest

from brainuad.evaluation.claims import (
    FAILS,
    HOLDS,
    NOT_MEASURED,
    RULES,
    evaluate_claims,
    ratio,
    share_in_order,
)
from brainuad.evaluation.paper import in_our_units
from brainuad.io.tables import read_table

PAPER = Path(__file__).parents[2] / "resources" / "paper"
KEYS = ["method", "dataset", "modality", "metric"]
IN_TABLES, IN_JOURNAL = "v1, tables", "journal, abstract"


def claim(
    rule: str, others: str = "b", sets: str = "wmh_t1", paper: float = 1.0, **changes
) -> dict:
    return {
        "claim": "words",
        "rule": rule,
        "metric": "dice",
        "method": "a",
        "others": others,
        "sets": sets,
        "gamma": 1.0,
        "paper": paper,
        "unit": "1",
        "source": "by hand",
    } | changes


def table(**values: float) -> pd.DataFrame:
    rows = [(method, "wmh", "t1", "dice", mean) for method, mean in values.items()]
    return pd.DataFrame(rows, columns=[*KEYS, "mean"])


def judge(one: dict, *tables: pd.DataFrame) -> tuple[float, str]:
    (row,) = evaluate_claims(pd.DataFrame([one]), tables).to_dict("records")
    return row["ours"], row["verdict"]


def papers_own_tables() -> list[pd.DataFrame]:
    tables = [read_table(PAPER / f"{name}.tsv") for name in ("segmentation", "reconstruction")]
    return [frame.assign(mean=in_our_units(frame["value"], frame["unit"])) for frame in tables]


def test_the_papers_tables_bear_out_its_claims():
    judged = evaluate_claims(read_table(PAPER / "claims.tsv"), papers_own_tables())
    in_tables = judged[judged["source"] == IN_TABLES]
    assert len(in_tables) > 30
    assert (in_tables["verdict"] == HOLDS).all()
    # Every number that is written beside a claim is the one its rule makes of the tables.
    assert in_tables["ours"].tolist() == pytest.approx(in_tables["paper"].tolist(), abs=1e-9)
    # The journal's tables are others.
    journal = judged[judged["source"] == IN_JOURNAL]
    assert (journal["verdict"] == HOLDS).all() and len(journal) == 3
    rest = judged[~judged["source"].isin([IN_TABLES, IN_JOURNAL])]
    assert (rest["verdict"] == NOT_MEASURED).all() and rest["ours"].isna().all()


def test_claims_name_what_the_tables_know():
    claims, tables = read_table(PAPER / "claims.tsv"), pd.concat(papers_own_tables())
    assert set(claims["rule"]) <= set(RULES)
    assert not claims["claim"].duplicated().any()
    sets = set(tables["dataset"] + "_" + tables["modality"])
    for record in claims.to_dict("records"):
        assert {record["method"], *record["others"].split(",")} <= set(tables["method"])
        assert set(record["sets"].split(",")) <= sets


@pytest.mark.parametrize(
    ("rule", "value", "ours", "verdict"),
    [
        ("higher", 0.5, 0.1, HOLDS),
        ("higher", 0.4, 0.0, FAILS),
        ("not higher", 0.4, 0.0, HOLDS),
        ("not higher", 0.5, 0.1, FAILS),
        ("lower", 0.1, -0.1, HOLDS),
        ("lower", 0.3, 0.1, FAILS),
        ("times higher", 0.8, 2.0, HOLDS),
        ("times higher", 0.3, 0.75, FAILS),
        ("times lower", 0.1, 0.5, HOLDS),
        ("times lower", 0.3, 1.5, FAILS),
        ("about as high", 0.43, 1.075, HOLDS),
        ("about as high", 0.45, 1.125, FAILS),
        # Pairs in falling order: (.3, .2) of (.3, .2), (.3, .4), (.2, .4).
        ("falling", 0.3, 1 / 3, FAILS),
        ("rising", 0.1, 1.0, HOLDS),
    ],
)
def test_rules_by_hand(rule, value, ours, verdict):
    number, judged = judge(claim(rule, others="b,c"), table(a=value, b=0.2, c=0.4))
    assert number == pytest.approx(ours) and judged == verdict


def test_several_sets_are_averaged():
    scores = pd.concat([table(a=0.2, b=0.1), table(a=0.3, b=0.7).assign(dataset="atlas")])
    number, judged = judge(claim("higher", sets="wmh_t1,atlas_t1"), scores)
    assert number == pytest.approx(-0.15) and judged == FAILS


def test_a_claim_over_methods_that_lack_is_not_judged():
    claims = pd.DataFrame([claim("higher", others="b,c,d")])
    (row,) = evaluate_claims(claims, [table(a=0.9, b=0.2, c=math.nan)]).to_dict("records")
    assert (row["verdict"], row["lacking"]) == (NOT_MEASURED, "c, d")
    assert math.isnan(row["ours"])


def test_gamma_and_the_first_table_count():
    plain = table(a=0.5, b=0.4)
    changed = table(a=0.1, b=0.3).assign(gamma=2.0)
    other = table(a=0.0, b=1.0).assign(gamma=math.nan)
    assert judge(claim("higher"), plain, changed, other)[1] == HOLDS
    assert judge(claim("higher", gamma=2.0), plain, changed, other)[0] == pytest.approx(-0.2)
    assert judge(claim("higher", gamma=0.5), plain, changed)[1] == NOT_MEASURED


def test_units_of_a_claim():
    one = pd.DataFrame([claim("higher", paper=1.02, unit="%")])
    (row,) = evaluate_claims(one, [table(a=0.5, b=0.4)]).to_dict("records")
    assert row["paper"] == pytest.approx(0.0102)
    assert row["measured"] == "dice: difference to the highest other"


def test_ratio_and_order_at_their_edges():
    assert math.isnan(ratio(0.3, 0.0))
    assert ratio(-0.6, 0.3) == pytest.approx(2)
    assert share_in_order([3, 3, 1]) == pytest.approx(2 / 3)
    assert judge(claim("times higher"), table(a=0.5, b=0.0)) == (
        pytest.approx(math.nan, nan_ok=True),
        NOT_MEASURED,
    )


def test_what_nobody_measured_is_named_with_its_place():
    rows = [claim("higher", sets="mslub_t2"), claim("higher", gamma=0.5)]
    judged = evaluate_claims(pd.DataFrame(rows), [table(a=1.0, b=0.5)])
    assert judged["lacking"].tolist() == ["dice on mslub_t2", "dice on wmh_t1 at gamma 0.5"]
    assert (judged["verdict"] == NOT_MEASURED).all()


def test_nothing_is_lacking_where_the_other_is_zero():
    (row,) = evaluate_claims(pd.DataFrame([claim("times higher")]), [table(a=1.0, b=0.0)]).to_dict(
        "records"
    )
    assert (row["verdict"], row["lacking"]) == (NOT_MEASURED, "")
