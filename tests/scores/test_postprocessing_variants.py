from dataclasses import replace

import pytest

from brainuad.config.evaluation import PostprocessingSettings
from brainuad.scores.postprocessing_variants import sharing_maps, variants_of

EROSION, MEDIAN = "erosion", "median"
SETTINGS = PostprocessingSettings(
    order=(EROSION, MEDIAN), erosion_iterations=3, median_size=5, minimum_component=8
)
COMPONENTS, FILTER, ERODED = "without components", "without median filter", "without erosion"


def test_each_step_is_left_out_and_the_others_stay():
    assert variants_of(SETTINGS) == {
        "all steps": SETTINGS,
        COMPONENTS: PostprocessingSettings((EROSION, MEDIAN), 3, 5, 1),
        FILTER: PostprocessingSettings((EROSION, MEDIAN), 3, 1, 8),
        ERODED: PostprocessingSettings((EROSION, MEDIAN), 0, 5, 8),
    }


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({"order": (MEDIAN,)}, [COMPONENTS, FILTER]),
        ({"order": (EROSION,)}, [COMPONENTS, ERODED]),
        ({"order": ()}, [COMPONENTS]),
        ({"erosion_iterations": 0}, [COMPONENTS, FILTER]),
        ({"median_size": 1}, [COMPONENTS, ERODED]),
        ({"minimum_component": 1}, [FILTER, ERODED]),
        ({"order": (), "minimum_component": 1}, []),
    ],
)
def test_what_is_not_done_cannot_be_left_out(changes, left):
    assert list(variants_of(replace(SETTINGS, **changes))) == ["all steps", *left]


def test_components_share_the_maps_of_all_steps():
    groups = sharing_maps(variants_of(SETTINGS))
    assert [list(group) for group in groups] == [["all steps", COMPONENTS], [FILTER], [ERODED]]
    assert groups[0]["all steps"] == SETTINGS
