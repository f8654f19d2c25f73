"""Phantoms: what a head looks like, and that the lesions' masks are exact."""

import numpy as np
import pytest
from nilearn import datasets
from sklearn.metrics import average_precision_score

from brainuad.phantoms import acquisition, lesions, vascular
from brainuad.phantoms.acquisition import Contrast, acquire, draw_scanner, grid_axes
from brainuad.phantoms.anatomy import (
    Variation,
    average_head,
    draw_head,
    push_apart,
    tissues_on,
)
from brainuad.phantoms.fields import (
    lattice_axes,
    on_grid,
    smooth_field,
    soft_below,
)
from brainuad.phantoms.template import load_template, read_map

AXES = grid_axes(field_of_view=(192.0, 232.0, 176.0), spacing=(3.0, 3.0, 3.0))
VOXEL_ML = 0.027

# Per planner: the labels that may occur, those that must, and the volume (ml) of all together.
PLANNERS = {
    "tumour": (lesions.plan_tumour, {1, 2, 4}, {1, 2, 4}, (5, 160)),
    "plaques": (lesions.plan_plaques, {1}, {1}, (2, 45)),
    "infarct": (vascular.plan_infarct, {1}, {1}, (0.8, 130)),
    "hyperintensities": (vascular.plan_hyperintensities, {1, 2}, {1}, (3, 90)),
}


@pytest.fixture(scope="module")
def template():
    return load_template()


@pytest.mark.parametrize(
    ("name", "load"),
    [
        ("t1", datasets.load_mni152_template),
        ("gm", datasets.load_mni152_gm_template),
        ("wm", datasets.load_mni152_wm_template),
    ],
)
def test_maps_are_those_that_nilearn_gives(name, load):
    expected = np.asarray(load(resolution=1).dataobj, dtype=np.float32)
    np.testing.assert_array_equal(read_map(name), expected)


def test_lattice_interpolation_is_exact_for_a_linear_function():
    x, y, z = np.meshgrid(*lattice_axes(), indexing="ij")
    values = (2 * x - y + 0.5 * z).astype(np.float32)
    axes = (np.array([-3.0, 10.5]), np.array([0.25]), np.array([7.0, 7.5, 99.0]))
    expected = 2 * axes[0][:, None, None] - 0.25 + 0.5 * axes[2][None, None, :]
    np.testing.assert_allclose(on_grid(values, axes), expected, atol=1e-4)


def test_smooth_fields_have_unit_deviation_and_are_smooth():
    field = smooth_field(np.random.default_rng(0), spacing=8.0)
    values = field.on(tuple(np.arange(-90.0, 90.0, 2.0) for _ in range(3)))
    assert abs(values.std() - 1) < 0.05
    assert abs(values.mean()) < 0.05
    assert np.abs(np.diff(values, axis=0)).mean() < 0.4


def test_soft_step_is_half_at_its_limit():
    np.testing.assert_allclose(
        soft_below(np.array([0.0, 1.0, 1.5, 2.0, 9.0]), 1.5, width=1.0), [1, 1, 0.5, 0, 0]
    )


@pytest.mark.parametrize(
    ("contrast", "order"),
    [(Contrast.T1, ("fluid", "grey", "white")), (Contrast.T2, ("white", "grey", "fluid"))],
)
def test_tissues_come_in_the_contrast_s_order(template, contrast, order):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        head = draw_head(template, rng, Variation())
        tissues = tissues_on(template, head, AXES, stripped=False)
        scanner = draw_scanner(rng, seed=(seed,), oblique=0.0)
        image = acquire(tissues, None, axes=AXES, contrast=contrast, scanner=scanner)
        means = [image[tissues.brain & (tissues.fractions[name] > 0.85)].mean() for name in order]
        assert means == sorted(means)
        # The skull is dark, the fat below the skin is not, and air holds only noise.
        bone, fat = (image[tissues.fractions[name] > 0.6].mean() for name in ("bone", "fat"))
        assert bone < 0.5 * fat
        assert image[:3].mean() < 0.1 * image[tissues.brain].mean()


def test_no_contrast_repeats_the_chance_of_the_person_or_another_contrast(template, monkeypatch):
    tissues = tissues_on(template, average_head(template), AXES, stripped=True)
    drawn = [np.random.default_rng((4, 2)).random()]

    def note(tissues, contrast, *, rng, spread):
        drawn.append(rng.random())
        return np.zeros(tissues.brain.shape, np.float32)

    monkeypatch.setattr(acquisition, "ideal_image", note)
    scanner = draw_scanner(np.random.default_rng(0), seed=(4, 2), oblique=0.0)
    for contrast in Contrast:
        acquire(tissues, None, axes=AXES, contrast=contrast, scanner=scanner)
    assert len(set(drawn)) == 1 + len(Contrast)


def test_fractions_are_fractions(template):
    tissues = tissues_on(template, average_head(template), AXES, stripped=False)
    total = sum(tissues.fractions.values())
    assert all(values.min() >= 0 for values in tissues.fractions.values())
    assert total.max() <= 1 + 1e-4
    assert total[tissues.brain].min() > 0.95
    assert 1500 < tissues.brain.sum() * VOXEL_ML < 1950


def test_a_stripped_head_is_nothing_but_brain(template):
    tissues = tissues_on(template, average_head(template), AXES, stripped=True)
    assert set(tissues.fractions) == {"fluid", "grey", "white"}
    assert not sum(tissues.fractions.values())[~tissues.brain].any()


def test_heads_differ_but_ventricles_stay_moderate(template):
    def ventricles(head):
        tissues = tissues_on(template, head, AXES, stripped=True)
        near = tissues.ventricle_distance < 2
        return tissues.fractions["fluid"][near].sum() * VOXEL_ML, tissues.brain

    usual, average_brain = ventricles(average_head(template))
    volumes = []
    for seed in range(6):
        volume, brain = ventricles(draw_head(template, np.random.default_rng(seed), Variation()))
        volumes.append(volume / usual)
        overlap = 2 * (brain & average_brain).sum() / (brain.sum() + average_brain.sum())
        assert 0.8 < overlap < 0.99
    assert np.std(volumes) > 0.08
    assert min(volumes) > 0.45
    assert max(volumes) < 1.9


def test_mass_effect_moves_tissue_outwards(template):
    head = average_head(template)
    centre = np.array([32.0, -20.0, 24.0])
    pushed = push_apart(template, head, centre=centre, radius=20.0, push=4.0)
    # The lattice point at (52, -20, 24) now shows what lay 4 mm closer to the centre.
    index = tuple(
        int(np.flatnonzero(axis == place)[0])
        for axis, place in zip(lattice_axes(), (52.0, -20.0, 24.0), strict=True)
    )
    np.testing.assert_allclose(pushed.points[(slice(None), *index)], [48, -20, 24], atol=0.05)
    far = np.abs(pushed.points - head.points)[:, :5]
    assert far.max() < 0.05


@pytest.mark.parametrize("name", PLANNERS)
def test_masks_are_exact(template, name):
    planner, allowed, required, (least, most) = PLANNERS[name]
    found = set()
    for seed in range(5):
        rng = np.random.default_rng(seed)
        plan = planner(template, draw_head(template, rng, Variation()), rng, 1.0)
        tissues = tissues_on(template, plan.head, AXES, stripped=True)
        drawn = plan.draw(tissues, AXES)
        labels = set(np.unique(drawn.labels)) - {0}
        found |= labels
        assert required <= labels <= allowed
        assert not drawn.labels[~tissues.brain].any()
        assert least < (drawn.labels > 0).sum() * VOXEL_ML < most
        # Tissue is changed where the mask says so, and next to nowhere else.
        weight = np.max([layer.weight for layer in drawn.layers], axis=0)
        assert weight.min() >= 0
        assert weight.max() <= 1
        assert weight[drawn.labels > 0].min() > 0.25
        assert weight[drawn.labels == 0].max() <= 0.55
    assert found == allowed or name == "hyperintensities"


def test_lesion_load_scales_the_volume(template):
    def volume(planner, load):
        rng = np.random.default_rng(11)
        plan = planner(template, draw_head(template, rng, Variation()), rng, load)
        tissues = tissues_on(template, plan.head, AXES, stripped=True)
        return (plan.draw(tissues, AXES).labels > 0).sum()

    for planner, *_ in PLANNERS.values():
        assert volume(planner, 2.0) > 1.3 * volume(planner, 0.5)


def test_other_pathology_occurs_in_some_people_only(template):
    head = average_head(template)
    tissues = tissues_on(template, head, AXES, stripped=True)
    with_other = [
        2
        in vascular.plan_hyperintensities(template, head, np.random.default_rng(seed), 1.0)
        .draw(tissues, AXES)
        .labels
        for seed in range(8)
    ]
    assert 0 < sum(with_other) < 8


def test_thresholding_the_intensity_does_not_find_tumours(template):
    scores = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        plan = lesions.plan_tumour(template, draw_head(template, rng, Variation()), rng, 1.0)
        tissues = tissues_on(template, plan.head, AXES, stripped=True)
        drawn = plan.draw(tissues, AXES)
        scanner = draw_scanner(rng, seed=(seed,), oblique=0.0)
        image = acquire(tissues, drawn, axes=AXES, contrast=Contrast.T2, scanner=scanner)
        brain = tissues.brain
        scores.append(average_precision_score(drawn.labels[brain] > 0, image[brain]))
        # Bright all the same: brighter than nine tenths of the brain's white matter.
        white = image[brain & (tissues.fractions["white"] > 0.8) & (drawn.labels == 0)]
        assert np.median(image[drawn.labels > 0]) > np.percentile(white, 90)
    assert np.mean(scores) < 0.3
