"""How methods look in figures: colours from the config, lines and markers by their models.

If several methods use one model and score, the one with the most timesteps leads; the others are
dashed, and dense figures leave them out. A method that scores its model's reconstructions otherwise
than the model's first method has another line style and marker.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from brainuad.plan.study import Method, Study

# Diffusion models have solid lines, models that reconstruct in one pass broken ones; dashes are
# reserved for methods that do not lead.
DASHED = "--"
SOLID_MARKERS = ("s", "v", "^", "D", "p", "h", "*", "8", "H")
ONE_PASS_MARKERS_AND_LINES = (("P", "-."), ("X", ":"), ("<", "-."), (">", "-."), ("d", ":"))
WITHOUT_MODEL = ("o", "-")
# Markers and lines of a model's second score, third score, and so on; the colour says the model.
OTHER_SCORES = (("*", ":"), ("X", "-."), ("p", (0, (3, 1, 1, 1, 1, 1))))
# The colour of a model that no method uses.
COLOUR = "#6b6b6b"


def leading(methods: Sequence[Method]) -> list[Method]:
    """The methods, without those that another method of the same model and score leads."""
    return [method for method in methods if not _is_led(method, methods)]


def styles_of(study: Study, methods: Sequence[Method]) -> dict[str, dict[str, Any]]:
    """Colour, line and marker of each method that is drawn in one figure."""
    looks = _looks_of_models(study)
    styles = {}
    for method in methods:
        marker, line = WITHOUT_MODEL if method.model is None else looks[method.model]
        if place := _scores_of_model(study, method.model).index(method.score):
            marker, line = OTHER_SCORES[(place - 1) % len(OTHER_SCORES)]
        line = DASHED if _is_led(method, methods) else line
        styles[method.name] = {"colour": method.colour, "line": line, "marker": marker}
    return styles


def styles_of_models(study: Study, models: Iterable[str]) -> dict[str, dict[str, str]]:
    """Colour, line and marker of each model; the colour is that of its first method."""
    looks = _looks_of_models(study)
    colours: dict[str | None, str] = {}
    for method in study.all_methods.values():
        colours.setdefault(method.model, method.colour)
    return {
        model: {
            "colour": colours.get(model, COLOUR),
            "line": looks[model][1],
            "marker": looks[model][0],
        }
        for model in models
    }


def _is_led(method: Method, methods: Iterable[Method]) -> bool:
    """Whether another method has the same model and score, and more timesteps."""
    return any(
        (other.model, other.score) == (method.model, method.score)
        and len(other.timesteps) > len(method.timesteps)
        for other in methods
    )


def _scores_of_model(study: Study, model: str | None) -> list[dict[str, Any]]:
    """The scores of a model's methods, in the order of the config."""
    scores: list[dict[str, Any]] = []
    for method in study.all_methods.values():
        if method.model == model and method.score not in scores:
            scores.append(method.score)
    return scores


def _looks_of_models(study: Study) -> dict[str, tuple[str, str]]:
    """Marker and line of every model of the config, so that all figures use the same."""
    in_one_pass = {method.model for method in study.all_methods.values() if not method.timesteps}
    looks = {}
    for model in study.config["models"]:
        place = sum((other in in_one_pass) == (model in in_one_pass) for other in looks)
        if model in in_one_pass:
            kinds = ONE_PASS_MARKERS_AND_LINES
            looks[model] = kinds[place % len(kinds)]
        else:
            looks[model] = (SOLID_MARKERS[place % len(SOLID_MARKERS)], "-")
    return looks
