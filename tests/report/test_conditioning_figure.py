from dataclasses import replace

import numpy as np
from figure_checks import drawn_twice
from small_report import write_small_figure

from brainuad.report.figures.conditioning import PartialConditions, draw_conditioning
from brainuad.report.figures.style import house_style

WIDTH, DEPTH = 10, 12


def make_conditions(*, conditioned):
    """Two subjects of two timesteps; where x < 5 all errors are .1, beyond it .2 with half seen."""
    images = np.full((2, WIDTH, DEPTH), 0.5, np.float32)
    masks = np.zeros(images.shape, bool)
    masks[:, 1:-1, 1:-1] = True
    reconstructed = np.full((2, 2, *images.shape), 0.6, np.float32)
    if conditioned:
        reconstructed[:, 0, :, 5:] = 0.7
    return PartialConditions(
        names=np.array(["a", "b"]),
        timesteps=np.array([500, 1000]),
        shares=np.array([0.5, 1.0]),
        images=images,
        brain_masks=masks,
        reconstructions=reconstructed,
    )


def draw(methods):
    with house_style():
        return draw_conditioning(methods, title="IXI T2")


def test_a_method_without_an_encoder_is_shown_once():
    plain, conditioned = make_conditions(conditioned=False), make_conditions(conditioned=True)
    figure = draw({"ddpm": plain, "cddpm": conditioned})
    # Two scans, and of two subjects and timesteps one column of DDPM and two of cDDPM.
    assert len(figure.axes) == 2 + 4 * 3
    texts = [text.get_text() for text in figure.texts]
    assert [text for text in texts if "encoder" in text] == [
        "no encoder",
        "encoder sees 50 %",
        "encoder sees all",
    ]


def test_errors_stand_on_their_side_of_the_line():
    figure = draw({"cddpm": make_conditions(conditioned=True)})
    cut = figure.axes[2]
    corners = {text.get_ha(): text.get_text() for text in cut.texts}
    # Where x is large, at the left of the picture, the encoder saw nothing.
    assert corners == {"left": "200", "right": "100"}
    (line,) = cut.get_lines()
    # Columns of the picture run from x = 9 to x = 0; between x = 5 and x = 4 they are 4 and 5.
    assert line.get_xdata() == [4.5, 4.5]
    whole = figure.axes[6]
    assert not whole.get_lines()


def test_line_is_in_its_place_when_the_brain_fills_a_part_of_the_grid():
    conditions = make_conditions(conditioned=True)
    conditions.brain_masks[:] = False
    conditions.brain_masks[:, 4:7, 4:7] = True
    cut = draw({"cddpm": conditions}).axes[2]
    # With a margin of 2 the picture shows x from 8 to 2, the first hidden, x = 5, in column 3.
    assert cut.get_lines()[0].get_xdata() == [3.5, 3.5]


def test_of_a_single_share_nothing_is_said_about_the_encoder():
    conditions = make_conditions(conditioned=True)
    single = replace(
        conditions,
        shares=conditions.shares[1:],
        reconstructions=conditions.reconstructions[:, 1:],
    )
    assert not any("encoder" in text.get_text() for text in draw({"cddpm": single}).texts)


def test_script_draws_what_was_written(tmp_path):
    paths = [tmp_path / "ddpm.npz", tmp_path / "cddpm.npz"]
    for path, conditioned in zip(paths, (False, True), strict=True):
        np.savez(path, **vars(make_conditions(conditioned=conditioned)))
    given = {"reconstructions": paths, "models": ["ddpm", "cddpm"]}
    svg = drawn_twice(
        lambda **files: write_small_figure("conditioning_ixi_t2", **given, **files), tmp_path
    )
    assert "<!-- IXI T2: what the encoder sees -->" in svg and "<!-- cDDPM -->" in svg


def test_without_a_model_a_strip_says_so(tmp_path):
    given = {"reconstructions": [], "models": []}
    svg = drawn_twice(
        lambda **files: write_small_figure("conditioning_ixi_t2", **given, **files), tmp_path
    )
    assert 'id="axes_1"' not in svg
