"""SparK: the sparse encoder against the dense one, masks, loss and decoder by hand."""

import pytest
import torch

from brainuad.networks.resnet import ResNetEncoder
from brainuad.networks.spark import SparK, kept_patches, masked_patch_loss, random_visible

BACKBONE = {"width": 4, "blocks": (1, 2, 1, 1), "stochastic_depth": 0.0}
DEMO = {**BACKBONE, "stem_stride": 2, "decoder_width": 16, "patch_size": 16}
PAPER = {**BACKBONE, "stem_stride": 4, "decoder_width": 32, "patch_size": 32}


def build(settings: dict) -> SparK:
    torch.manual_seed(0)
    network = SparK(**settings)
    for stage in network.backbone.stages:
        for block in stage:
            torch.nn.init.uniform_(block.expand_norm.weight, 0.5, 1.5)
    return network


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("settings", [DEMO, PAPER])
def test_with_everything_visible_the_sparse_encoder_is_the_dense_one(settings, training):
    sparse = build(settings).backbone.train(training)
    encoder = ResNetEncoder(**BACKBONE, stem_stride=settings["stem_stride"], condition_width=3)
    dense = encoder.backbone.train(training)
    dense.load_state_dict(sparse.state_dict(), strict=True)
    size = 3 * settings["patch_size"]
    images = torch.rand(2, 1, size, size)
    visible = torch.ones(2, 3, 3, dtype=torch.bool)
    for ours, theirs in zip(
        sparse.feature_maps(images, visible), dense.feature_maps(images), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    for ours, theirs in zip(sparse.buffers(), dense.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("settings", [DEMO, PAPER])
def test_a_lone_visible_patch_is_seen_as_if_it_were_the_whole_slice(settings, training):
    # Hidden neighbours and the border of a slice are both zeros at every layer, and the strides
    # divide the patch: so the dense network on the patches cut out is an independent reference.
    backbone = build(settings).backbone.train(training)
    size = settings["patch_size"]
    images = torch.rand(9, 1, 3 * size, 3 * size)
    visible = torch.eye(9, dtype=torch.bool).view(9, 3, 3)

    def cut(maps: torch.Tensor) -> torch.Tensor:
        patch = maps.shape[-1] // 3
        grid = maps.unfold(2, patch, patch).unfold(3, patch, patch)
        return grid.permute(0, 2, 3, 1, 4, 5)[visible]

    reference = build(settings).backbone.train(training)
    for ours, theirs in zip(
        backbone.feature_maps(images, visible), reference.feature_maps(cut(images)), strict=True
    ):
        torch.testing.assert_close(cut(ours), theirs, rtol=1e-4, atol=1e-4)
        assert ours.count_nonzero() == cut(ours).count_nonzero()


@pytest.mark.parametrize("training", [True, False])
def test_nothing_depends_on_the_hidden_pixels(training):
    network = build(DEMO).train(training)
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(4, 1, 48, 48)
    visible = network.random_visible(images, generator)
    hidden = ~visible.repeat_interleave(16, 1).repeat_interleave(16, 2)[:, None]
    other = torch.where(hidden, torch.rand(images.shape), images)
    assert not torch.equal(images, other)
    assert torch.equal(network(images, visible), network(other, visible))


def test_the_hidden_patches_are_reconstructed_from_the_visible_ones():
    network = build(DEMO).eval()
    images = torch.rand(1, 1, 48, 48)
    visible = torch.zeros(1, 3, 3, dtype=torch.bool)
    visible[0, 1, 1] = True
    brighter = images.clone()
    brighter[:, :, 16:32, 16:32] += 1
    reconstructed = network(images, visible)
    difference = network(brighter, visible) - reconstructed
    # Relative: the weights of an untrained decoder are small.
    assert difference[:, :, :16, :16].abs().max() > 1e-3 * reconstructed.std()


def test_every_parameter_learns():
    network = build(DEMO)
    images = torch.rand(4, 1, 48, 48)
    visible = network.random_visible(images, torch.Generator().manual_seed(0))
    reconstructed = network(images, visible)
    assert reconstructed.shape == images.shape
    masked_patch_loss(reconstructed, images, visible).backward()
    untouched = [name for name, value in network.named_parameters() if not value.grad.any()]
    assert untouched == []


def test_the_default_is_the_paper_size():
    with torch.device("meta"):
        network = SparK()
    assert network.backbone.feature_channels == (256, 512, 1024, 2048)
    assert network.grid(96, 96) == (3, 3)
    assert len(network.densifiers) == 4
    assert len(network.decoder) == 5
    assert network.output.in_channels == 512 // 32


def test_the_decoder_starts_from_the_released_distributions():
    torch.manual_seed(1)
    network = SparK(**{**PAPER, "decoder_width": 512})
    for block in network.decoder:
        transposed, first, _, _, second, _ = block.layers
        # Kaiming fan-out of kernels of 4x4 before a ReLU: the variance is 2 / (16 channels).
        expected = (2 / (16 * transposed.in_channels)) ** 0.5
        check_normal(transposed.weight, expected)
        assert not transposed.bias.any()
        check_normal(first.weight, 0.02)
        check_normal(second.weight, 0.02)
    assert network.output.weight.abs().max() < 0.1
    assert not network.output.bias.any()
    for densifier in network.densifiers:
        # torch's own: uniform up to 1 / sqrt(fan-in), the biases too.
        project = densifier.project
        limit = (project.in_channels * project.kernel_size[0] ** 2) ** -0.5
        assert 0.95 * limit < project.weight.abs().max() <= limit
        assert project.bias.any()
        assert 0 < densifier.token.abs().max() <= 0.02


def check_normal(weights, deviation):
    values = weights.detach().flatten().double()
    error = deviation / len(values) ** 0.5
    assert abs(float(values.mean())) < 4 * error
    assert float(values.std()) == pytest.approx(deviation, abs=4 * error)
    # Of a normal distribution 4.6 % lie beyond two deviations; cut there, or uniform, none would.
    beyond = float((values.abs() > 2 * deviation).double().mean())
    assert beyond == pytest.approx(0.0455, abs=4 * (0.0455 / len(values)) ** 0.5)


def test_three_of_nine_patches_are_kept():
    assert kept_patches(9, 0.65) == 3
    with pytest.raises(ValueError, match="keeps 0 of 9 patches"):
        kept_patches(9, 0.99)
    with pytest.raises(ValueError, match="keeps 9 of 9 patches"):
        kept_patches(9, 0.01)


def test_random_masks_repeat_with_the_seed_and_favour_no_patch():
    def draw(seed: int, batch: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return random_visible(batch, (3, 4), keep=3, generator=generator)

    visible = draw(0, 4000)
    assert visible.shape == (4000, 3, 4)
    assert visible.dtype == torch.bool
    assert (visible.sum((1, 2)) == 3).all()
    torch.testing.assert_close(visible.float().mean(0), torch.full((3, 4), 0.25), rtol=0, atol=0.03)
    assert torch.equal(draw(0, 8), draw(0, 8))
    assert not torch.equal(draw(0, 8), draw(1, 8))
    with pytest.raises(ValueError, match="cannot keep 13 of 3x4 patches"):
        random_visible(1, (3, 4), keep=13, generator=torch.Generator())


def test_the_loss_counts_hidden_patches_alone():
    images = torch.zeros(1, 1, 2, 4)
    reconstructed = torch.tensor([[[[9.0, 9.0, 1.0, 2.0], [9.0, 9.0, 3.0, 4.0]]]])
    visible = torch.tensor([[[True, False]]])
    assert masked_patch_loss(reconstructed, images, visible).item() == (1 + 4 + 9 + 16) / 4
    assert masked_patch_loss(reconstructed, images, torch.ones_like(visible)).item() == 0
    with pytest.raises(ValueError, match="must have the same shape"):
        masked_patch_loss(reconstructed[..., :2], images, visible)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patch_size": 24}, "patch_size 24 is not a multiple of the encoder's stride 16"),
        ({"mask_ratio": 1.0}, "mask_ratio must be between 0 and 1"),
        ({"decoder_width": 24}, "decoder_width 24 cannot be halved 4 times"),
    ],
)
def test_wrong_settings_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        SparK(**DEMO | change)


def test_wrong_shapes_are_named():
    network = build(DEMO)
    with pytest.raises(ValueError, match="40x48 pixels do not divide into patches of 16"):
        network(torch.rand(1, 1, 40, 48), torch.ones(1, 3, 3, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"visible must be \(1, 3, 3\)"):
        network(torch.rand(1, 1, 48, 48), torch.ones(1, 2, 2, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"images must be \[B, 1, H, W\]"):
        network(torch.rand(1, 48, 48), torch.ones(1, 3, 3, dtype=torch.bool))
