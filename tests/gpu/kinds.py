"""Every kind of model in small, by name."""

from small_training import DDPM, TRAINABLES

# The slices have 64x64 pixels. Of f-AnoGAN's first eight steps two train the encoder.
KINDS = TRAINABLES | {
    "vae": (
        "autoencoder",
        {
            "size": [64, 64],
            "channels": [8, 16, 16],
            "latent": 16,
            "spatial": False,
            "kl_weight": 0.001,
        },
    ),
    "dae": (
        "denoising_autoencoder",
        {
            "network": {"channels": 8, "levels": 2},
            "noise": {"resolution": 4, "deviation": 0.2},
        },
    ),
    "anogan": (
        "f_anogan",
        {
            "size": [64, 64],
            "channels": [4, 8, 8],
            "latent": 6,
            "gan_steps": 6,
            "critic_steps": 1,
            "gradient_penalty": 10.0,
            "feature_weight": 1.0,
        },
    ),
    "pddpm": (
        "patched_diffusion",
        {name: DDPM[name] for name in ("network", "noise", "schedule")} | {"grid": [2, 2]},
    ),
    "disyre": ("disyre", {"network": DDPM["network"], "restorations": 3}),
    "fae": (
        "fae",
        {
            "encoder": {
                "width": 4,
                "blocks": [1, 1, 1, 1],
                "stem_stride": 4,
                "stochastic_depth": 0.2,
            },
            "size": [64, 64],
            "channels": [8, 16],
        },
    ),
    "itermask": (
        "itermask",
        {
            "network": {"channels": 8, "levels": 2},
            "lowest_frequency": 0.1,
            "first_masked": 0.6,
            "next_masked": 0.2,
            "iterations": 3,
        },
    ),
}
