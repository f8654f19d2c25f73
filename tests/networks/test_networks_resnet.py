"""The encoder against MONAI's ResNet-50 and statistics worked out by hand."""

import pytest
import torch

from brainuad.networks.resnet import (
    MaskedBatchNorm2d,
    ResNetBackbone,
    ResNetEncoder,
    spread,
)

SMALL = {"width": 4, "blocks": (1, 2, 1, 1), "stochastic_depth": 0.0}


def test_parameter_count_is_that_of_the_released_encoder():
    with torch.device("meta"):
        encoder = ResNetEncoder()
    assert sum(parameter.numel() for parameter in encoder.parameters()) == 24_550_848


def test_it_is_the_resnet_50_of_monai():
    nets = pytest.importorskip("monai.networks.nets")
    torch.manual_seed(0)
    reference = nets.resnet50(
        spatial_dims=2, n_input_channels=1, num_classes=512, bias_downsample=False, conv1_t_stride=2
    ).eval()
    encoder = ResNetEncoder().eval()
    ours, theirs = encoder.state_dict(), reference.state_dict()
    # Both list their layers in the order of the forward pass.
    names = zip(ours, theirs, strict=True)
    encoder.load_state_dict({name: theirs[other] for name, other in names}, strict=True)
    images = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(encoder(images), reference(images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("stem_stride", "sizes"), [(4, (12, 6, 3, 2)), (2, (24, 12, 6, 3))])
def test_feature_maps_have_four_scales(stem_stride, sizes):
    backbone = ResNetBackbone(**SMALL, stem_stride=stem_stride)
    maps = backbone.feature_maps(torch.rand(2, 1, 48, 48))
    expected = [(2, 16 * 2**scale, size, size) for scale, size in enumerate(sizes)]
    assert [tuple(scale.shape) for scale in maps] == expected
    assert backbone.stride == 8 * stem_stride
    torch.testing.assert_close(backbone.eval()(torch.ones(1, 1, 48, 48)).shape, maps[-1][:1].shape)


def test_the_condition_is_a_linear_map_of_the_mean_feature():
    encoder = ResNetEncoder(**SMALL, condition_width=5).eval()
    images = torch.rand(3, 1, 32, 32)
    features = encoder.backbone.feature_maps(images)[-1].flatten(2).mean(2)
    expected = features @ encoder.output.weight.T + encoder.output.bias
    torch.testing.assert_close(encoder(images), expected)


def test_the_backbone_loads_by_itself_and_strictly():
    torch.manual_seed(0)
    backbone, encoder = ResNetBackbone(**SMALL), ResNetEncoder(**SMALL, condition_width=5)
    encoder.backbone.load_state_dict(backbone.state_dict(), strict=True)
    images = torch.rand(2, 1, 32, 32)
    torch.testing.assert_close(encoder.eval().backbone(images), backbone.eval()(images))
    state = backbone.state_dict()
    state.pop("stem.weight")
    with pytest.raises(RuntimeError, match="Missing key"):
        encoder.backbone.load_state_dict(state, strict=True)


def test_stochastic_depth_rises_linearly_and_follows_the_default_generator():
    backbone = ResNetBackbone(width=4, blocks=(1, 2, 1, 1), stochastic_depth=0.4)
    rates = [block.drop_probability for stage in backbone.stages for block in stage]
    assert rates == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])
    images = torch.rand(16, 1, 32, 32)
    for stage in backbone.stages:
        for block in stage:
            torch.nn.init.ones_(block.expand_norm.weight)
    torch.manual_seed(3)
    first, second = backbone(images), backbone(images)
    torch.manual_seed(3)
    assert torch.equal(backbone(images), first)
    assert not torch.equal(second, first)


def test_a_dropped_branch_is_zero_and_a_kept_one_scaled_up():
    block = ResNetBackbone(**SMALL | {"stochastic_depth": 0.25}).stages[3][0]
    torch.manual_seed(0)
    values = block._drop(torch.ones(4000, 2, 1, 1))
    # Whole slices are dropped; the rest is divided by the share that is kept.
    assert torch.equal(values[:, 0], values[:, 1])
    assert sorted(values.unique().tolist()) == pytest.approx([0.0, 4 / 3])
    assert values.mean().item() == pytest.approx(1.0, abs=0.03)
    assert torch.equal(block.eval()._drop(torch.ones(8, 1, 1, 1)), torch.ones(8, 1, 1, 1))


def test_masked_statistics_by_hand():
    norm = MaskedBatchNorm2d(1)
    maps = torch.tensor([[[[1.0, 3.0], [100.0, -7.0]]], [[[5.0, 50.0], [7.0, 0.0]]]])
    visible = torch.tensor([[[True, True], [False, False]], [[True, False], [True, False]]])
    output = norm(maps, spread(visible, maps))
    # Visible are 1, 3, 5, 7: mean 4, variance 5, unbiased 20 / 3; momentum .1.
    expected = (maps - 4) / 5**0.5 * visible[:, None]
    torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-5)
    assert norm.running_mean.item() == pytest.approx(0.4)
    assert norm.running_var.item() == pytest.approx(0.9 + 0.1 * 20 / 3)
    output = norm.eval()(maps, spread(visible, maps))
    expected = (maps - 0.4) / (0.9 + 2 / 3) ** 0.5 * visible[:, None]
    torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-5)


def test_spread_repeats_patches():
    visible = torch.tensor([[[True, False]]])
    positions = spread(visible, torch.zeros(1, 3, 2, 4))
    assert positions.mask.tolist() == [[[[1, 1, 0, 0], [1, 1, 0, 0]]]]
    assert positions.indices.tolist() == [0, 1, 4, 5]


@pytest.mark.parametrize(
    ("visible", "message"),
    [
        (torch.ones(2, 3, 3, dtype=torch.bool), "does not divide into 3x3 patches"),
        (torch.ones(1, 2, 2, dtype=torch.bool), r"visible must be bool \[2, h, w\]"),
        (torch.ones(2, 2, 2), r"visible must be bool \[2, h, w\]"),
    ],
)
def test_wrong_masks_are_named(visible, message):
    with pytest.raises(ValueError, match=message):
        ResNetBackbone(**SMALL).feature_maps(torch.rand(2, 1, 64, 64), visible)


@pytest.mark.parametrize("shape", [(2, 64, 64), (2, 3, 64, 64)])
def test_wrong_images_are_named(shape):
    with pytest.raises(ValueError, match=r"images must be \[B, 1, H, W\]"):
        ResNetEncoder(**SMALL)(torch.rand(shape))
    with pytest.raises(ValueError, match="floating point"):
        ResNetEncoder(**SMALL)(torch.zeros(2, 1, 64, 64, dtype=torch.uint8))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 0}, "width must be positive"),
        ({"blocks": (1, 1, 1)}, "blocks must be four positive numbers"),
        ({"stem_stride": 3}, "stem_stride must be 1, 2 or 4"),
        ({"stochastic_depth": 1.0}, r"stochastic_depth must be in \[0, 1\)"),
        ({"condition_width": 0}, "condition_width must be positive"),
    ],
)
def test_wrong_settings_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        ResNetEncoder(**SMALL | change)
