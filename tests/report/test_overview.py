import base64

import pandas as pd

from brainuad.report.pages import overview
from brainuad.report.pages.sections import Part, Section

SECTION = Section(
    "some",
    "Some results",
    "Some",
    (
        Part(table="one"),
        Part("Two", table="two", figures="panel", caption="What panels show."),
        Part("Three", table="three", figures="times", caption="Never."),
        Part(caption="Said always."),
    ),
)


def test_only_what_is_there_has_a_part(tmp_path):
    panels = {name: tmp_path / f"{name}.png" for name in ("panel_brats21", "panel_my_set_t1")}
    figures = panels | {"panels": tmp_path, "timesteps": tmp_path}
    parts = overview.fill(SECTION, tables={"two": "<p>2</p>"}, figures=figures)["parts"]
    assert [part["part"].heading for part in parts] == ["Two", ""]
    assert [picture.name for picture in parts[0]["pictures"]] == ["BraTS21", "my_set T1"]
    assert [picture.path for picture in parts[0]["pictures"]] == list(panels.values())
    assert parts[0]["table"] == "<p>2</p>" and parts[1]["caption"] == "Said always."


def test_caption_of_figures_needs_a_figure():
    parts = overview.fill(SECTION, tables={"two": "2", "one": "1"}, figures={})["parts"]
    assert [part["caption"] for part in parts] == ["", "", "Said always."]


def test_pictures_are_inside_the_page(tmp_path):
    path = tmp_path / "times.svg"
    path.write_bytes(b"abc")
    (picture,) = overview.pictures_of(SECTION.parts[2], {"times": path})
    assert picture.name == "all"
    assert picture.data == "data:image/svg+xml;base64," + base64.b64encode(b"abc").decode()


def quality_table(information, marked=()):
    return pd.DataFrame(
        {
            "subject": [f"s{place}" for place in range(len(information))],
            "overlap": information,
            "brain_ml": 1400.0,
            "marked": [place in marked for place in range(len(information))],
            "why": ["far off" if place in marked else "" for place in range(len(information))],
        }
    )


def test_quality_counts_the_marked_and_names_what_was_registered():
    nan = float("nan")
    measures = [quality_table([0.4, 0.1, 0.4], [1]), quality_table([nan, nan]), quality_table([])]
    quality = overview.quality_of(measures, ["my_set_t1", "mslub_t2", "wmh_t1"])
    assert [part["name"] for part in quality] == ["my_set T1", "MSLUB T2", "WMH T1"]
    assert [part["scans"] for part in quality] == [3, 2, 0]
    assert [[scan["subject"] for scan in part["marked"]] for part in quality] == [["s1"], [], []]
    facts = pd.DataFrame({"name": ["source", "shape"], "value": ["SRI24", "240 x 240 x 155"]})
    assert overview.registered_to(facts, quality) == (
        "Registered to the atlas: my_set T1. The atlas: SRI24. "
        "Taken as they came, preprocessed elsewhere: MSLUB T2."
    )


def test_nothing_was_registered_where_all_came_preprocessed():
    quality = overview.quality_of([quality_table([float("nan")] * 2)], ["mslub_t2"])
    assert overview.registered_to(None, quality) == (
        "Nothing was registered here. Taken as they came, preprocessed elsewhere: MSLUB T2."
    )


def test_unmeasured_scans_are_not_said_to_come_preprocessed():
    unmeasured = quality_table([float("nan")], [0]).assign(brain_ml=float("nan"))
    quality = overview.quality_of([unmeasured], ["ixi_t1"])
    assert (quality[0]["scans"], len(quality[0]["marked"])) == (1, 1)
    facts = pd.DataFrame({"name": ["source"], "value": ["SRI24"]})
    assert overview.registered_to(facts, quality) == ""
