"""`configs/metadata.json` of a MONAI bundle.

https://docs.monai.io/en/stable/mb_specification.html defines its keys. MONAI's weights are a pickle
(model.pt); these are safetensors, from which this workflow rebuilds the network.
"""

from importlib.metadata import version
from typing import Any

import pandas as pd

SCHEMA = (
    "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/"
    "meta_schema_20240725.json"
)
PAPER = (
    "Behrendt et al.: Guided reconstruction with conditioned diffusion models for unsupervised "
    "anomaly detection in brain MRIs. Computers in Biology and Medicine 186 (2025) 109660"
)
INTENDED_USE = (
    "Research on unsupervised anomaly detection. Not for diagnosis, not a medical device."
)
PACKAGES = ("nibabel", "safetensors", "scipy")


def metadata_of(
    settings: dict[str, Any], facts: dict[str, Any], scores: pd.DataFrame
) -> dict[str, Any]:
    """The metadata from the settings of the bundle, the facts of the run, and summarized scores."""
    (method,) = settings["methods"].values()
    modality = settings["modality"].upper()
    training = next(iter(facts["datasets"].values()))
    return {
        "schema": SCHEMA,
        "version": "1.0.0",
        "changelog": {"1.0.0": "as trained"},
        "name": f"{method['label']} {modality}",
        "monai_version": version("monai"),
        "pytorch_version": version("torch").partition("+")[0],
        "numpy_version": version("numpy"),
        "required_packages_version": {name: version(name) for name in PACKAGES},
        "task": "Unsupervised anomaly detection in brain MRI",
        "description": f"{method['label']} learned axial slices of healthy brains in {modality}; "
        "the anomaly map is what it does not reconstruct in a patient's scan.",
        "authors": "the person who trained it with the workflow brainuad; method: Behrendt et al.",
        "copyright": "see docs/license.txt",
        "data_source": f"{training['label']}: {training['terms']}",
        "data_type": "NIfTI",
        "image_classes": f"axial slice in {modality}, stripped, registered, intensities about 0 "
        "to 1 between two percentiles of the brain",
        "label_classes": "none: trained on healthy brains only",
        "pred_classes": "the slice as it would look in a healthy brain",
        "eval_metrics": _measured(scores),
        "intended_use": INTENDED_USE,
        "references": [PAPER],
        "network_data_format": {
            "inputs": {"image": _slices(settings, "axial slice of the scan")},
            "outputs": {"pred": _slices(settings, "axial slice of its healthy reconstruction")},
        },
    }


def _slices(settings: dict[str, Any], what: str) -> dict[str, Any]:
    """The description of a tensor of slices by the specification."""
    normalization = settings["preprocessing"]["normalization"]
    rows, columns, _ = (edge // normalization["downsampling"] for edge in normalization["size"])
    return {
        "type": "image",
        "format": "magnitude",
        "modality": "MR",
        "num_channels": 1,
        "spatial_shape": [rows, columns],
        "dtype": "float32",
        "value_range": [0, 1],
        "is_patch_data": False,
        "channel_def": {"0": f"{settings['modality'].upper()}, {what}"},
    }


def _measured(scores: pd.DataFrame) -> dict[str, float]:
    """Means over test subjects by names such as dice_brats21, without undefined ones."""
    defined = scores.dropna(subset=["mean"])
    return {
        f"{row.metric}_{row.dataset}": round(float(row.mean), 4)
        for row in defined[["metric", "dataset", "mean"]].itertuples(index=False, name="Row")
    }
