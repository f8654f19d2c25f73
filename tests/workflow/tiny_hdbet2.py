"""Train a tiny nnU-Net on heads with known brains, and save it in the format of HD-BET 2's release.

Run by the Python of the hdbet2 environment: tiny_hdbet2.py RELEASE HEADS. HEADS holds a folder per
head with image.nii.gz and brain_mask.nii.gz in RAS order. The network, preprocessing
and checkpoint keys are nnU-Net's own, so that HD-BET's real code runs on the result; only the size
differs: seconds of training on one CPU core.
"""

import json
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from acvl_utils.cropping_and_padding.padding import pad_nd_image
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from torch.nn import functional

SPACING = 5.0  # mm
PATCH = [36, 48, 40]
STEPS = 160
STAGES = 3
DATASET = {
    "channel_names": {"0": "MRI"},
    "labels": {"background": 0, "brain": 1},
    "numTraining": 0,
    "file_ending": ".nii.gz",
}


def make_plans() -> dict:
    """nnU-Net's plans of one configuration, as its planner writes them."""
    resampling = {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None}
    convolution, normalization = "conv.Conv3d", "instancenorm.InstanceNorm3d"
    architecture = {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "arch_kwargs": {
            "n_stages": STAGES,
            "features_per_stage": [8, 16, 32],
            "conv_op": f"torch.nn.modules.{convolution}",
            "kernel_sizes": [[3, 3, 3]] * STAGES,
            "strides": [[1, 1, 1]] + [[2, 2, 2]] * (STAGES - 1),
            "n_conv_per_stage": [1] * STAGES,
            "n_conv_per_stage_decoder": [1] * (STAGES - 1),
            "conv_bias": True,
            "norm_op": f"torch.nn.modules.{normalization}",
            "norm_op_kwargs": {"eps": 1e-05, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }
    configuration = {
        "data_identifier": "nnUNetPlans_3d_fullres",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": PATCH,
        "median_image_size_in_voxels": [float(size) for size in PATCH],
        "spacing": [SPACING] * 3,
        "normalization_schemes": ["ZScoreNormalization"],
        "use_mask_for_norm": [False],
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_seg": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_data_kwargs": resampling | {"order": 3},
        "resampling_fn_seg_kwargs": resampling | {"is_seg": True},
        "resampling_fn_probabilities_kwargs": resampling,
        "architecture": architecture,
        "batch_dice": False,
    }
    return {
        "dataset_name": "Dataset001_Heads",
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": [SPACING] * 3,
        "original_median_shape_after_transp": PATCH,
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "configurations": {"3d_fullres": configuration},
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": {}},
    }


def read_heads(folder: Path, plans: PlansManager) -> tuple[torch.Tensor, torch.Tensor]:
    """All heads through nnU-Net's preprocessing: images [N, 1, Z, Y, X], brains [N, Z, Y, X]."""
    images, brains = [], []
    for image in sorted(folder.glob("*/image.nii.gz")):
        head = nib.load(image)
        brain = np.asarray(nib.load(image.with_name("brain_mask.nii.gz")).dataobj)
        data, labels, _ = DefaultPreprocessor(verbose=False).run_case_npy(
            head.get_fdata(dtype=np.float32).transpose(2, 1, 0)[None],
            brain.transpose(2, 1, 0)[None].astype(np.int8),
            {"spacing": [float(edge) for edge in head.header.get_zooms()[::-1]]},
            plans,
            plans.get_configuration("3d_fullres"),
            DATASET,
        )
        for array, found in ((data, images), (np.maximum(labels, 0), brains)):
            padded = pad_nd_image(array[0].astype(np.float32), PATCH)
            if list(padded.shape) != PATCH:
                sys.exit(f"{image}: {padded.shape} voxels of {SPACING} mm do not fit into {PATCH}")
            found.append(torch.from_numpy(padded))
    return torch.stack(images)[:, None], torch.stack(brains)


def train(network: torch.nn.Module, images: torch.Tensor, brains: torch.Tensor) -> torch.optim.Adam:
    """Dice and cross-entropy as in nnU-Net, mirrored at random along all three axes."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2, total_steps=STEPS)
    for _ in range(STEPS):
        chosen = torch.randint(len(images), (2,))
        axes = [axis for axis in (1, 2, 3) if torch.rand(()) < 0.5]
        brain = brains[chosen].flip(axes)
        logits = network(images[chosen].flip([axis + 1 for axis in axes]))
        share = logits.softmax(1)[:, 1]
        dice = 2 * (share * brain).sum() / (share.sum() + brain.sum())
        loss = functional.cross_entropy(logits, brain.long()) + 1 - dice
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    print(f"loss {loss.item():.3f}, Dice {dice.item():.3f}")
    return optimizer


def main(release: Path, heads: Path) -> None:
    torch.manual_seed(1)
    # For so small a network a second thread costs more than it brings.
    torch.set_num_threads(1)
    started = time.perf_counter()
    plans = PlansManager(make_plans())
    images, brains = read_heads(heads, plans)
    network = nnUNetTrainer.build_network_architecture(
        plans, plans.get_configuration("3d_fullres"), 1, 2, enable_deep_supervision=False
    )
    optimizer = train(network, images, brains)
    checkpoint = {
        "network_weights": network.state_dict(),
        "optimizer_state": optimizer.state_dict(),
        "grad_scaler_state": None,
        "logging": {"mean_fg_dice": [np.float64(0.9)], "train_losses": [np.float32(0.1)]},
        "_best_ema": np.float64(0.9),
        "current_epoch": 1,
        "init_args": {
            "plans": plans.plans,
            "configuration": "3d_fullres",
            "fold": "all",
            "dataset_json": DATASET,
            "device": torch.device("cpu"),
        },
        "trainer_name": "nnUNetTrainer",
        "inference_allowed_mirroring_axes": (0, 1, 2),
    }
    (release / "fold_all").mkdir(parents=True)
    (release / "plans.json").write_text(json.dumps(plans.plans))
    (release / "dataset.json").write_text(json.dumps(DATASET))
    torch.save(checkpoint, release / "fold_all" / "checkpoint_final.pth")
    print(f"{len(images)} heads, {STEPS} steps, {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
