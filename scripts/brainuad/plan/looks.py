"""How methods look in figures: colours as the config says, lines and markers by their models.

Of several methods of one model the one with the most timesteps leads; others, beside it, are
dashed, and dense figures leave them out. A method that scores its model's answers in another way
than the model's first method has a line of its own.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from brainuad.plan.study import Method, Study

# A diffusion model has a solid line, one that answers in one pass a broken one; dashes are kept for
# a method beside the one that leads.
DASHED = "--"
SOLID_MARKERS = ("s", "v", "^", "D", "p", "h", "*", "8", "H")
ONE_PASS_MARKERS_AND_LINES = (("P", "-."), ("X", ":"), ("<", "-."), (">", "-."), ("d", ":"))
WITHOUT_MODEL = ("o", "-")
# Of a model's second score, third, and so on.
OTHER_SCORES = (":", "-.", (0, (3, 1, 1, 1, 1, 1)))
# Of a model that no method names.
COLOUR = "#6b6b6b"


def leading(methods: Sequence[Method]) -> list[Method]:
    """The methods without those beside which another one of their model has more timesteps."""
    return [method for method in methods if not _is_led(method, methods)]


def styles_of(study: Study, methods: Sequence[Method]) -> dict[str, dict[str, Any]]:
    """Colour, line and marker of each method that is drawn in one figure."""
    looks = _looks_of_models(study)
    styles = {}
    for method in methods:
        marker, line = WITHOUT_MODEL if method.model is None else looks[method.model]
        if place := _scores_of_model(study, method.model).index(method.score):
            line = OTHER_SCORES[(place - 1) % len(OTHER_SCORES)]
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
    """Whether another method asks the same model at more timesteps, and scores its answer alike."""
    return any(
        (other.model, other.score) == (method.model, method.score)
        and len(other.timesteps) > len(method.timesteps)
        for other in methods
    )


def _scores_of_model(study: Study, model: str | None) -> list[dict[str, Any]]:
    """What the methods of a model score by, in the order of the config."""
    scores: list[dict[str, Any]] = []
    for method in study.all_methods.values():
        if method.model == model and method.score not in scores:
            scores.append(method.score)
    return scores


def _looks_of_models(study: Study) -> dict[str, tuple[str, str]]:
    """Marker and line of every model, in the order of the config, whichever are drawn."""
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
