"""The reference for our networks: MONAI's U-Net for diffusion, as similar to ours as possible."""

from typing import Any

from monai.networks.nets import DiffusionModelUNet

NAME = "MONAI's DiffusionModelUNet"


def monai_network(settings: dict[str, Any]) -> DiffusionModelUNet:
    """A U-Net with the widths and depth of `settings.network`, without an encoder and condition."""
    widths = [settings["channels"] * multiplier for multiplier in settings["multipliers"]]
    return DiffusionModelUNet(
        spatial_dims=2,
        in_channels=1,
        out_channels=1,
        channels=widths,
        num_res_blocks=settings["residual_blocks"],
        # Attention only in the middle block, as in ours; MONAI always has it there.
        attention_levels=[False] * len(widths),
        num_head_channels=widths[-1] // settings["attention_heads"],
        norm_num_groups=min(32, settings["channels"] // 4),
        resblock_updown=True,
    )
