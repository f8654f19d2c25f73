"""Sampling, schedule, history, refusal of foreign checkpoints, and survival of kills."""

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from dataclasses import replace
from multiprocessing import forkserver
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small_training
import torch
from small_training import discs
from torch import nn

import pretrain_spark
import train_model
from brainuad.compute.device import Device
from brainuad.compute.machine import device_name
from brainuad.config.device import DeviceSettings
from brainuad.config.models import AugmentationSettings, TrainingSettings
from brainuad.config.settings import settings_from
from brainuad.images.slices import SliceStack, write_slices
from brainuad.io.errors import SettingsError
from brainuad.io.seeds import derive_seed
from brainuad.io.tables import read_table, write_table
from brainuad.models import load_model
from brainuad.models.checkpoints import Checkpoint, read_weights
from brainuad.training import loop
from brainuad.training.loop import train
from brainuad.training.sampling import choose_validation_slices, count_steps_per_epoch, draw_batch
from brainuad.training.steps import rate_factor

PROCESSOR = {"name": "cpu", "precision": "fp32", "compile": False, "deterministic": True}
TRAINING = small_training.TRAINING | {"steps": 40, "learning_rate": 1e-3, "warmup_steps": 4}
BRIEF = TRAINING | {"steps": 24}
VALIDATION = TRAINING["validation"]
DIFFUSION = {
    "network": {"channels": 8, "multipliers": [1, 2], "residual_blocks": 1, "attention_heads": 2},
    "encoder": {
        "width": 2,
        "blocks": [1, 1, 1, 1],
        "stem_stride": 2,
        "condition_width": 8,
        "stochastic_depth": 0.2,
    },
    "noise": {"octaves": 4, "persistence": 0.8, "wavelength": 16.0, "shared": False},
    "schedule": {"timesteps": 1000, "offset": 0.008, "largest_beta": 0.999},
}
SPARK = {
    "width": 2,
    "blocks": [1, 1, 1, 1],
    "stem_stride": 2,
    "stochastic_depth": 0.2,
    "decoder_width": 16,
    "patch_size": 16,
    "mask_ratio": 0.5,
}


@pytest.fixture
def inputs(tmp_path):
    images = discs(size=32).numpy()
    subjects = np.array([f"s{number}" for number in range(len(images))])
    stack = SliceStack(
        images=images,
        brain_masks=images > 0,
        lesions=np.zeros(images.shape, np.uint8),
        subjects=subjects,
        affines=np.tile(np.eye(4), (len(images), 1, 1)),
    )
    write_slices(stack, tmp_path / "slices.npz")
    partitions = ["train"] * 6 + ["validation"] * 2 + ["test"]
    write_table(
        pd.DataFrame({"subject": subjects, "session": "", "partition": partitions}),
        tmp_path / "split.tsv",
    )
    return tmp_path


def arguments(inputs, name, **changes):
    return {
        "slices": inputs / "slices.npz",
        "split": inputs / "split.tsv",
        "pretrained": None,
        "weights": inputs / name / "weights.pt",
        "history": inputs / name / "history.tsv",
        "machines": inputs / name / "machines.tsv",
        "kind": "diffusion",
        "settings": DIFFUSION,
        "training": TRAINING,
        "seed": derive_seed(5, "t2", 0),
        "device": PROCESSOR,
        "checkpoint_minutes": 10.0,
        "threads": 1,
        "code": "first",
    } | changes


class Line:
    """The smallest thing to train: one weight, whose loss is its distance to 1."""

    def __init__(self, start=0.0):
        self.network = nn.Linear(1, 1, bias=False)
        nn.init.constant_(self.network.weight, start)
        self.validations = []

    def training_loss(self, images, generator, step):
        return (self.network.weight - 1).abs().sum() + 0 * torch.rand(1, generator=generator).sum()

    def validation_loss(self, images, generator):
        self.validations.append((images.clone(), float(torch.rand(1, generator=generator))))
        return (self.network.weight - 1).abs().sum()


def train_line(tmp_path, model=None, *, code="first", checkpoint_minutes=10.0, **changes):
    values = TRAINING | {"augmentation": None} | changes
    model = model or Line()
    images = discs(size=32)
    return train(
        model,
        training_images=images[:6],
        validation_images=images[6:],
        settings=settings_from(TrainingSettings, values),
        seed=1,
        device=Device(torch.device("cpu"), settings_from(DeviceSettings, PROCESSOR)),
        checkpoint=Checkpoint(tmp_path / "checkpoint.pt"),
        checkpoint_minutes=checkpoint_minutes,
        model_settings={"kind": "line"},
        code=code,
    )


def test_an_epoch_takes_every_volume_equally_often_and_all_slices_over_time():
    counts = Counter()
    for epoch in range(100):
        volumes = Counter()
        for step in range(3 * epoch, 3 * epoch + 3):
            drawn = draw_batch(step, volumes=6, slices=5, slices_per_volume=2, batch_size=4, seed=0)
            volumes.update(drawn[0].tolist())
            counts.update(drawn[1].tolist())
        assert volumes == dict.fromkeys(range(6), 2)
    # 1200 draws of 5 slices: 240 each with a standard deviation of 13.9.
    assert set(counts) == set(range(5))
    assert max(abs(count - 240) for count in counts.values()) < 5 * 13.9


def test_the_last_incomplete_batch_is_dropped_as_released():
    assert count_steps_per_epoch(volumes=385, slices_per_volume=1, batch_size=32) == 12


def test_too_few_volumes_for_a_batch_are_named():
    with pytest.raises(SettingsError, match=r"6 training volumes .* batch of 32; raise"):
        count_steps_per_epoch(volumes=6, slices_per_volume=2, batch_size=32)


def test_validation_slices_are_spread_over_each_volume():
    volumes = torch.arange(2 * 50.0).reshape(2, 50, 1, 1).expand(2, 50, 3, 3)
    chosen = choose_validation_slices(volumes, 5, seed=0)
    assert chosen.shape == (10, 1, 3, 3)
    levels = [5, 15, 25, 35, 45]
    expected = levels + [50 + level for level in levels]
    assert sorted(chosen[:, 0, 0, 0].tolist()) == expected
    assert torch.equal(chosen, choose_validation_slices(volumes, 5, seed=0))


def test_learning_rate_by_hand():
    settings = settings_from(TrainingSettings, TRAINING | {"steps": 12, "warmup_steps": 4})
    factors = [rate_factor(step, settings) for step in (0, 3, 4, 8)]
    assert factors == pytest.approx([0.25, 1.0, 1.0, 0.5])
    constant = replace(settings, decay="constant")
    assert [rate_factor(step, constant) for step in (1, 4, 11)] == [0.5, 1.0, 1.0]


def test_history_has_a_row_per_epoch_and_the_best_weights_are_kept(tmp_path):
    # A constant step of about .1 passes 1 and comes back: the best is not the last.
    progress = train_line(tmp_path, learning_rate=0.3, decay="constant", warmup_steps=0, steps=10)
    assert [row["epoch"] for row in progress.history] == [1, 2, 3, 4]
    assert [row["step"] for row in progress.history] == [3, 6, 9, 10]
    validated = [np.isfinite(row["validation_loss"]) for row in progress.history]
    assert validated == [False, True, False, True]
    losses = {row["step"]: row["validation_loss"] for row in progress.history}
    assert progress.best_loss == min(losses[6], losses[10]) == losses[progress.best_step]
    kept = float(progress.best["weight"])
    assert abs(kept - 1) == pytest.approx(progress.best_loss, rel=1e-5)


def test_validation_is_the_same_each_time(tmp_path):
    model = Line()
    train_line(tmp_path, model, steps=12)
    halves = len(model.validations) // 2
    assert halves >= 1
    for first, second in zip(model.validations[:halves], model.validations[halves:], strict=True):
        assert torch.equal(first[0], second[0])
        assert first[1] == second[1]


def test_divergence_is_one_clear_line(tmp_path):
    with pytest.raises(SettingsError, match="training diverged: the loss of epoch 1 is"):
        train_line(tmp_path, Line(start=float("nan")))


def test_divergence_of_the_validation_alone_is_the_same_line(tmp_path, monkeypatch):
    monkeypatch.setattr(Line, "validation_loss", lambda *given: torch.tensor(float("inf")))
    with pytest.raises(SettingsError, match="diverged: the validation loss of epoch 2 is inf; low"):
        train_line(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps: 0 does not fit, expected 1 or more"),
        ({"learning_rate": 0.0}, "learning_rate: 0.0 does not fit, expected more than 0"),
        ({"warmup_steps": 40}, "warmup_steps: 40 is not below the 40 steps"),
        ({"validation": VALIDATION | {"every_epochs": 0}}, "expected 1 or more"),
        (
            {"validation": VALIDATION | {"redrawn": "yes"}},
            "redrawn: expected true or false, got 'yes'",
        ),
        ({"decay": "linear"}, "'linear' is not one of constant, cosine"),
        ({"lerning_rate": 1.0}, "lerning_rate"),
    ],
)
def test_impossible_settings_are_refused(changes, message):
    with pytest.raises(SettingsError, match=message):
        settings_from(TrainingSettings, TRAINING | changes)


def test_a_checkpoint_of_other_settings_is_refused_and_said(tmp_path, capsys):
    train_line(tmp_path, steps=6, warmup_steps=0, checkpoint_minutes=0.0)
    capsys.readouterr()
    progress = train_line(tmp_path, steps=9, warmup_steps=0, checkpoint_minutes=0.0)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == (
        "checkpoint.pt is of another training, starting again: training.steps was 6, is 9"
    )
    assert progress.history[0]["step"] == 3


def test_a_checkpoint_of_other_first_weights_is_refused(tmp_path, capsys):
    train_line(tmp_path, checkpoint_minutes=0.0)
    capsys.readouterr()
    train_line(tmp_path, Line(start=0.5), checkpoint_minutes=0.0)
    assert "first weights was" in capsys.readouterr().out


def test_a_checkpoint_of_other_code_or_another_precision_is_refused_and_said(tmp_path, capsys):
    train_line(tmp_path, checkpoint_minutes=0.0)
    capsys.readouterr()
    train_line(tmp_path, checkpoint_minutes=0.0, code="second")
    said = "checkpoint.pt is of another training, starting again: "
    assert capsys.readouterr().out.startswith(f"{said}code was 'first', is 'second'\n")
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    other = saved | {"identity": saved["identity"] | {"precision": "'bf16'"}}
    torch.save(other, tmp_path / "checkpoint.pt")
    train_line(tmp_path, code="second")
    assert capsys.readouterr().out.startswith(f"{said}precision was 'bf16', is 'fp32'\n")


def test_the_pace_of_checkpoints_does_not_make_it_another_training(tmp_path, capsys):
    train_line(tmp_path, checkpoint_minutes=0.0)
    capsys.readouterr()
    train_line(tmp_path, checkpoint_minutes=7.0)
    assert capsys.readouterr().out.startswith("resumed after step 40 of 40")


def test_a_spoilt_checkpoint_is_started_anew(tmp_path, capsys):
    (tmp_path / "checkpoint.pt").write_bytes(b"half a file")
    assert train_line(tmp_path, steps=6, warmup_steps=0).step == 6
    assert "checkpoint.pt cannot be read" in capsys.readouterr().out


def test_an_unwanted_device_is_one_clear_line(inputs):
    with pytest.raises(SettingsError, match="name: 'gpu' is not one of cuda, cpu"):
        train_model.main(**arguments(inputs, "model", device=PROCESSOR | {"name": "gpu"}))
    if not torch.cuda.is_available():
        with pytest.raises(SettingsError, match="torch sees no GPU"):
            train_model.main(**arguments(inputs, "model", device=PROCESSOR | {"name": "cuda"}))


def same_training(first, second):
    assert (first / "weights.pt").read_bytes() == (second / "weights.pt").read_bytes()
    histories = [read_table(folder / "history.tsv") for folder in (first, second)]
    pd.testing.assert_frame_equal(*(frame.drop(columns="seconds") for frame in histories))


@pytest.fixture(scope="module")
def processes():
    """Processes that share one import of torch."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["train_model"])
    with pytest.MonkeyPatch.context() as patch:
        # The server that forks has its path from the environment alone.
        patch.setenv("PYTHONPATH", str(Path(train_model.__file__).parent))
        forkserver.ensure_running()
    return context


def time_of(path):
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def run_until(processes, inputs, name, *, stop, seconds):
    """Start a training in a process of its own and stop it after its checkpoint changed."""
    weights = inputs / name / "weights.pt"
    checkpoint = weights.with_name("checkpoint.pt")
    before = time_of(checkpoint)
    process = processes.Process(
        target=train_model.main,
        kwargs=arguments(inputs, name, training=BRIEF, checkpoint_minutes=0.0),
    )
    process.start()
    deadline = time.monotonic() + 60
    while process.is_alive() and time.monotonic() < deadline:
        if time_of(checkpoint) != before:
            time.sleep(seconds)
            break
        time.sleep(0.005)
    os.kill(process.pid, stop)
    process.join(60)
    return process.exitcode


def test_a_training_killed_at_any_moment_ends_bit_identical(inputs, processes):
    train_model.main(**arguments(inputs, "undisturbed", training=BRIEF))
    generator = random.Random(1)
    kills = 0
    for _ in range(3):
        code = run_until(
            processes, inputs, "killed", stop=signal.SIGKILL, seconds=generator.uniform(0, 0.1)
        )
        kills += code == -signal.SIGKILL
        assert not (inputs / "killed" / "weights.pt").exists() or code == 0
    assert kills >= 2
    code = run_until(processes, inputs, "killed", stop=signal.SIGTERM, seconds=0.0)
    assert code in (128 + signal.SIGTERM, 0)
    train_model.main(**arguments(inputs, "killed", training=BRIEF))
    same_training(inputs / "undisturbed", inputs / "killed")
    assert sorted(path.name for path in (inputs / "killed").iterdir()) == [
        "history.tsv",
        "machines.tsv",
        "weights.pt",
    ]


def test_sigterm_saves_and_ends_with_its_number(inputs, processes):
    code = run_until(processes, inputs, "stopped", stop=signal.SIGTERM, seconds=0.0)
    assert code == 128 + signal.SIGTERM
    saved = torch.load(inputs / "stopped" / "checkpoint.pt", weights_only=True)
    assert 1 <= saved["state"]["progress"]["step"] < BRIEF["steps"]
    assert not (inputs / "stopped" / "weights.pt").exists()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(inputs):
    short = TRAINING | {"steps": 6}
    for name, seed in (("first", 5), ("second", 5), ("third", 6)):
        torch.rand(3)
        train_model.main(**arguments(inputs, name, training=short, seed=seed))
    same_training(inputs / "first", inputs / "second")
    states = [read_weights(inputs / name / "weights.pt")["state"] for name in ("first", "third")]
    assert not torch.equal(*(state["unet.output_convolution.weight"] for state in states))


def test_conditioned_diffusion_learns_the_discs(inputs):
    training = TRAINING | {
        "steps": 120,
        "learning_rate": 3e-3,
        "augmentation": None,
    }
    train_model.main(**arguments(inputs, "model", training=training))
    losses = read_table(inputs / "model" / "history.tsv")["validation_loss"].dropna()
    assert losses.iloc[-1] < 0.5 * losses.iloc[0]


def test_pretraining_gives_a_backbone_that_the_model_starts_from(inputs):
    training = TRAINING | {"steps": 6, "optimizer": "adamw", "weight_decay": 0.05}
    pretrain_spark.main(
        slices=inputs / "slices.npz",
        split=inputs / "split.tsv",
        encoder=inputs / "spark" / "encoder.pt",
        history=inputs / "spark" / "history.tsv",
        machines=inputs / "spark" / "machines.tsv",
        settings={"network": SPARK, "training": training | {"augmentation": None}},
        seed=2,
        device=PROCESSOR,
        checkpoint_minutes=0.0,
        threads=1,
        code="first",
    )
    history = read_table(inputs / "spark" / "history.tsv")
    assert history.columns.tolist() == [
        "epoch",
        "step",
        "training_loss",
        "validation_loss",
        "seconds",
    ]
    train_model.main(
        **arguments(
            inputs,
            "model",
            pretrained=inputs / "spark" / "encoder.pt",
            training=TRAINING | {"steps": 2, "warmup_steps": 0, "learning_rate": 1e-12},
        )
    )
    pretrained = read_weights(inputs / "spark" / "encoder.pt")["state"]
    loaded = load_model(inputs / "model" / "weights.pt", small_training.device_with())
    backbone = loaded.network["encoder"].backbone
    weights = backbone.state_dict()["stages.0.0.spatial.weight"]
    torch.testing.assert_close(weights, pretrained["stages.0.0.spatial.weight"])


def test_augmentation_settings_are_built_from_plain_values():
    settings = settings_from(TrainingSettings, TRAINING)
    assert isinstance(settings.augmentation, AugmentationSettings)
    assert settings.augmentation.ghosting.ghosts == (4, 10)


def test_going_on_on_another_machine_is_said_and_kept(tmp_path, capsys, monkeypatch):
    def stopping(*given, step, take=loop.take_step, **options):
        if step == 5:
            signal.raise_signal(signal.SIGTERM)
        return take(*given, step=step, **options)

    cpu = small_training.device_with()
    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(loop, "take_step", stopping)
        small_training.trained(tmp_path, cpu, steps=12)
    capsys.readouterr()
    with monkeypatch.context() as patched:
        patched.setattr(loop, "device_name", lambda device: "NVIDIA A100")
        patched.setattr(loop, "compile_costly_parts", lambda *given: True)
        other = replace(cpu, settings=replace(cpu.settings, compile=True, deterministic=False))
        _, progress = small_training.trained(tmp_path, other, steps=12)
    resumed, said = capsys.readouterr().out.splitlines()[:2]
    here = device_name(cpu.torch)
    assert resumed == "resumed after step 6 of 12"
    assert said == (
        f"continuing elsewhere, so the last digits differ: device was {here}, is NVIDIA A100; "
        "compiled was False, is True; deterministic was True, is False"
    )
    assert [(row["from_step"], row["device"]) for row in progress.machines] == [
        (0, here),
        (6, "NVIDIA A100"),
    ]
    assert progress.machines[0].keys() == set(loop.MACHINE_COLUMNS)
    # An instruction set that torch names: AVX2, AVX512 or the plain one.
    assert here.rpartition(", ")[2] == torch.backends.cpu.get_cpu_capability()
