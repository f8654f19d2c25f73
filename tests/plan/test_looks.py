"""How methods look, by the config alone."""

from colour_vision import smallest_distance
from small_study import PAPER, study_of

from brainuad.plan.looks import leading, styles_of, styles_of_models
from brainuad.plan.study import Study

ROWS = (
    *("thresh", "anogan", "vae", "svae", "ae", "dae"),
    *("ddpm", "pddpm", "cddpm", "cddpm_ssl"),
)
BEYOND = ("disyre", "itermask", "fae")


def study_with(methods):
    """A study whose methods are given by model, timesteps and, maybe, score."""
    blocks = {
        name: {
            "label": name,
            "colour": "#0072b2",
            "model": model,
            "timesteps": timesteps,
            "score": {"kind": score[0] if score else "absolute"},
        }
        for name, (model, timesteps, *score) in methods.items()
    }
    models = {block["model"]: {} for block in blocks.values() if block["model"]}
    return Study(study_of().config | {"models": models, "methods": blocks})


def styles(study, *names):
    return styles_of(study, study.named(names))


def test_methods_of_one_model_share_a_marker_and_those_of_fewer_timesteps_are_dashed():
    both = styles(study_of(), "ddpm", "ddpm_ens")
    assert both["ddpm"]["marker"] == both["ddpm_ens"]["marker"]
    assert (both["ddpm"]["line"], both["ddpm_ens"]["line"]) == ("--", "-")
    assert styles(study_of(), "ddpm")["ddpm"]["line"] == "-"


def test_dense_figures_leave_out_what_another_method_of_the_model_leads():
    study = study_with(
        {
            "thresh": (None, []),
            "level": (None, []),
            "ddpm": ("ddpm", [500]),
            "ddpm_ens": ("ddpm", [250, 500, 750]),
            "ddpm_ssim": ("ddpm", [750], "ssim"),
            "cddpm": ("cddpm", [500]),
        }
    )
    shown = [method.name for method in leading(list(study.all_methods.values()))]
    # Another score is another result.
    assert shown == ["thresh", "level", "ddpm_ens", "ddpm_ssim", "cddpm"]
    assert [method.name for method in leading(study.named(["ddpm"]))] == ["ddpm"]


def test_methods_of_one_model_and_other_scores_are_told_apart():
    names = ("cddpm_ens", "cddpm_ens_ssim", "cddpm_mahalanobis")
    found = styles(study_of(), "cddpm", *names)
    assert len({style["colour"] for style in found.values()}) == 1
    assert [found[name]["marker"] for name in ("cddpm", *names)] == ["^", "^", "*", "X"]
    assert [found[name]["line"] for name in ("cddpm", *names)] == ["--", "-", ":", "-."]


def test_all_rows_of_one_model_are_told_apart():
    names = [name for name, block in PAPER["methods"].items() if block["model"] == "cddpm"]
    lines = {str(style["line"]) for style in styles(study_of(base=PAPER), *names).values()}
    assert len(lines) == len(names) == 5


def test_a_look_does_not_depend_on_the_other_methods():
    study = study_of()
    assert styles(study, "thresh", "ddpm", "cddpm")["cddpm"] == styles(study, "cddpm")["cddpm"]
    assert styles_of_models(study, ["cddpm"])["cddpm"] == styles(study, "cddpm")["cddpm"]


def test_a_model_that_no_method_names_has_a_look():
    study = study_with({"ddpm": ("ddpm", [500])})
    study.config["models"]["other"] = {}
    assert styles_of_models(study, ["other"])["other"]["marker"] == "v"


def test_each_method_of_the_paper_has_a_look_of_its_own():
    found = styles(study_of(base=PAPER), *ROWS)
    assert len({style["marker"] for style in found.values()}) == len(ROWS)
    one_pass = ("anogan", "vae", "svae", "ae", "dae")
    assert all((found[name]["line"] != "-") == (name in one_pass) for name in ROWS)


def test_colours_of_the_config_are_told_apart_with_any_vision():
    found = styles(study_of(base=PAPER), *ROWS, *BEYOND).values()
    assert smallest_distance([style["colour"] for style in found]) > 14


def test_more_models_than_markers_begin_anew():
    methods = {f"m{number}": (f"m{number}", [500]) for number in range(12)}
    found = styles(study_with(methods), *methods)
    assert found["m0"] == found["m9"] != found["m1"]
