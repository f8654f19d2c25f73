import base64
import io

import numpy as np
import pandas as pd
from PIL import Image

from brainuad.report.pages import overview


def test_pictures_are_inside_the_page(tmp_path):
    path = tmp_path / "times.svg"
    path.write_bytes(b"abc")
    inside = "data:image/svg+xml;base64," + base64.b64encode(b"abc").decode()
    assert overview.embedded(path) == inside


def test_a_picture_of_brains_is_small_and_looks_the_same(tmp_path):
    generator = np.random.default_rng(0)
    coarse = Image.fromarray(generator.integers(0, 255, (30, 40, 3), dtype=np.uint8))
    picture = coarse.resize((400, 300), Image.Resampling.BICUBIC)
    picture.save(tmp_path / "panel.png")
    kind, _, content = overview.embedded(tmp_path / "panel.png").partition(";base64,")
    inside = base64.b64decode(content)
    assert kind == "data:image/webp"
    assert len(inside) < (tmp_path / "panel.png").stat().st_size / 4
    shown = np.asarray(Image.open(io.BytesIO(inside)), dtype=float)
    assert np.abs(shown - np.asarray(picture)).mean() < 6


def quality_table(information, flagged=()):
    places = range(len(information))
    return pd.DataFrame(
        {
            "subject": [f"s{place}" for place in places],
            "session": "",
            "overlap": information,
            "brain_ml": 1400.0,
            "flagged": [place in flagged for place in places],
            "why": ["far off" if place in flagged else "" for place in places],
        }
    )


NAMES = {"my_set_t1": "my_set T1", "mslub_t2": "MSLUB T2", "wmh_t1": "WMH T1"}


def test_quality_counts_the_flagged_and_names_what_was_registered():
    nan = float("nan")
    tables = [quality_table([0.4, 0.1, 0.4], [1]), quality_table([nan, nan]), quality_table([])]
    quality = overview.quality_of(dict(zip(NAMES, tables, strict=True)), NAMES)
    assert [part["name"] for part in quality] == list(NAMES.values())
    assert next(part["address"] for part in quality) == "quality/my_set_t1/index.html"
    assert [part["scans"] for part in quality] == [3, 2, 0]
    assert [[scan["name"] for scan in part["flagged"]] for part in quality] == [["s1"], [], []]
    facts = pd.DataFrame({"name": ["source", "shape"], "value": ["SRI24", "240 x 240 x 155"]})
    assert overview.registered_to(facts, quality) == (
        "Registered to the template: my_set T1. The template: SRI24. "
        "Taken as they came, preprocessed elsewhere: MSLUB T2."
    )


def test_nothing_was_registered_where_all_came_preprocessed():
    quality = overview.quality_of({"mslub_t2": quality_table([float("nan")] * 2)}, NAMES)
    assert overview.registered_to(None, quality) == (
        "Nothing was registered here. Taken as they came, preprocessed elsewhere: MSLUB T2."
    )


def test_unmeasured_scans_are_not_said_to_come_preprocessed():
    unmeasured = quality_table([float("nan")], [0]).assign(brain_ml=float("nan"))
    quality = overview.quality_of({"my_set_t1": unmeasured}, NAMES)
    assert (quality[0]["scans"], len(quality[0]["flagged"])) == (1, 1)
    facts = pd.DataFrame({"name": ["source"], "value": ["SRI24"]})
    assert overview.registered_to(facts, quality) == ""
