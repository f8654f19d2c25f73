"""Times: who is timed when and on what, and the table with its ratios by hand."""

import numpy as np
import pandas as pd
import pytest
from small_report import texts_of, write_small_table
from small_training import DDPM, FP32

import time_reconstruction
from brainuad.images.slices import SliceStack, write_slices
from brainuad.io.errors import SettingsError
from brainuad.io.tables import read_table, write_table
from brainuad.models import build_trainable
from brainuad.models.checkpoints import write_weights

COLUMNS = ["method", "fold", "dataset", "modality", "round", "metric", "value"]
AE = {"size": [16, 16], "channels": [4], "latent": 2, "spatial": False, "kl_weight": None}


@pytest.fixture
def files(tmp_path):
    """Seven test subjects, one of whom was left out, and weights of two methods."""
    subjects = list("abcdefv")
    images = np.random.default_rng(0).random((len(subjects), 3, 16, 16), np.float32)
    stack = SliceStack(
        images=images,
        brain_masks=np.ones(images.shape, bool),
        lesions=np.zeros(images.shape, np.uint8),
        subjects=np.array(subjects),
        affines=np.tile(np.eye(4), (len(subjects), 1, 1)),
    )
    write_slices(stack, tmp_path / "slices.npz")
    rows = dict.fromkeys(["gone", *"fedcba"], "test") | {"v": "validation"}
    write_table(
        pd.DataFrame({"subject": rows.keys(), "session": "", "partition": rows.values()}),
        tmp_path / "split.tsv",
    )
    paths = {}
    for name, (kind, settings) in {"ddpm": ("diffusion", DDPM), "ae": ("autoencoder", AE)}.items():
        paths[name] = tmp_path / f"{name}.pt"
        state = build_trainable(kind, settings).network.state_dict()
        write_weights(paths[name], kind=kind, settings=settings, state=state, training={})
    return {
        "slices": tmp_path / "slices.npz",
        "split": tmp_path / "split.tsv",
        "weights": [paths["ae"], paths["ddpm"], paths["ddpm"]],
        "output": tmp_path / "times.tsv",
        "methods": ["ae", "ddpm", "ddpm_ens"],
        "models": ["ae", "ddpm", "ddpm"],
        "timesteps": [[500], [500], [250, 500, 750]],
        "samples": [1, 1, 2],
        "dataset": "ixi",
        "modality": "t2",
        "fold": 0,
        "seed": 3,
        "device": FP32,
        "threads": 1,
    }


def test_real_times_are_of_a_round_each(files):
    time_reconstruction.main(**files)
    times = read_table(files["output"])
    assert times.columns.tolist() == COLUMNS
    assert times["round"].tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert times["method"].tolist() == files["methods"] * 3
    assert set(times["metric"]) == {"seconds_per_volume"}
    assert times[["fold", "dataset", "modality"]].drop_duplicates().to_numpy().tolist() == [
        [0, "ixi", "t2"]
    ]
    seconds = times.groupby("method")["value"].mean()
    assert 0 < seconds["ae"] < seconds["ddpm"] < seconds["ddpm_ens"] < 60


def test_methods_take_turns_on_all_volumes_and_the_first_round_does_not_count(files, monkeypatch):
    """A machine that gets slower with each turn, as told by a clock of the test."""
    clock, turns = [0.0], []

    def slower_each_time(method, images, subjects, *, timesteps, samples, seed, device):
        asked = (tuple(timesteps), samples)
        turns.append((type(method).__name__, asked, images.shape, "".join(subjects)))
        clock[0] += 5 * len(turns)

    monkeypatch.setattr(time_reconstruction, "reconstruct_volumes", slower_each_time)
    monkeypatch.setattr(time_reconstruction.time, "perf_counter", lambda: clock[0])
    time_reconstruction.main(**files)
    # The first five test subjects of those that are there.
    volumes = ((5, 3, 16, 16), "fedcb")
    asked = [((500,), 1), ((500,), 1), ((250, 500, 750), 2)]
    one_turn = list(zip(["Autoencoder", "Diffusion", "Diffusion"], asked, strict=True))
    assert turns == [(*who, *volumes) for _ in range(4) for who in one_turn]
    # Turns 1 to 3 warm up; a turn n takes 5n seconds for five volumes.
    times = read_table(files["output"]).pivot_table(index="round", columns="method", values="value")
    assert times[files["methods"]].to_numpy().tolist() == [[4, 5, 6], [7, 8, 9], [10, 11, 12]]


def test_each_network_is_compiled_once_before_the_clock_runs(files, monkeypatch):
    """The table compares what data sets are reconstructed with: compiled with compiled."""
    compiled, timed = [], []

    def reconstruct(method, *_, **__):
        timed.append(len(compiled))

    monkeypatch.setattr(
        time_reconstruction, "compile_for_volumes", lambda *given: compiled.append(given[1:])
    )
    monkeypatch.setattr(time_reconstruction, "reconstruct_volumes", reconstruct)
    time_reconstruction.main(**files)
    # Two files of weights: DDPM's serves two rows.
    assert [size for size, _ in compiled] == [(16, 16)] * 2
    assert set(timed) == {2}


def test_the_clock_waits_for_a_gpu(monkeypatch):
    said = []
    monkeypatch.setattr(time_reconstruction.torch.cuda, "synchronize", said.append)

    class Gpu:
        torch = time_reconstruction.torch.device("cuda", 0)

    class Processor:
        torch = time_reconstruction.torch.device("cpu")

    time_reconstruction.wait_for(Processor)
    assert not said
    time_reconstruction.wait_for(Gpu)
    assert said == [Gpu.torch]


def test_no_test_subject_at_all_is_one_line(files):
    table = pd.DataFrame(
        {"subject": ["gone", "v"], "session": "", "partition": ["test", "validation"]}
    )
    write_table(table, files["split"])
    with pytest.raises(SettingsError, match=r"^slices: all test scans .*_left_out\.tsv says why"):
        time_reconstruction.main(**files)


def tabulated(folder, times):
    """The table of files, each a dict of (method, modality) and the seconds of its rounds."""
    paths = []
    for number, content in enumerate(times):
        rows = [
            (method, 0, "ixi", modality, number, "seconds_per_volume", seconds)
            for (method, modality), of_rounds in content.items()
            for number, seconds in enumerate(of_rounds, start=1)
        ]
        paths.append(folder / f"times{number}.tsv")
        write_table(pd.DataFrame(rows, columns=COLUMNS), paths[-1])
    return texts_of(write_small_table("times", folder, times=paths))


def test_ratios_by_hand(tmp_path):
    table, html, tex = tabulated(
        tmp_path,
        [
            {("ddpm", "t1"): (2.0, 4.0), ("cddpm", "t1"): (2.2, 4.0)},
            {("pddpm", "t2"): (9.0, 12.0), ("ddpm", "t2"): (3.0, 3.0), ("ae", "t2"): (0.3, 0.03)},
        ],
    )
    means = table.set_index(["metric", "modality", "method"])["mean"]
    assert means["seconds_per_volume", "t1", "ddpm"] == 3.0
    assert means["seconds_per_volume", "t1", "cddpm"] == pytest.approx(3.1)
    # The ratio of each round, then their mean.
    assert means["ratio_to_ddpm", "t1", "cddpm"] == pytest.approx((1.1 + 1) / 2)
    assert means["ratio_to_ddpm", "t2", "pddpm"] == pytest.approx((3 + 4) / 2)
    assert means["ratio_to_ddpm", "t2", "ae"] == pytest.approx((0.1 + 0.01) / 2)
    assert (means["ratio_to_ddpm"].xs("ddpm", level="method") == 1).all()
    assert set(table["dataset"]) == {"ixi"} and set(table["subjects"]) == {2}
    for text in ("cDDPM", "Ratio to DDPM", "Seconds per volume", "IXI T2"):
        assert text in html and text in tex
    assert "0.63 times" in html


def test_without_ddpm_there_are_seconds_alone(tmp_path):
    table, html, _ = tabulated(tmp_path, [{("cddpm", "t1"): (2.0, 4.0)}])
    assert table["metric"].tolist() == ["seconds_per_volume"]
    assert table["mean"].tolist() == [3.0]
    assert "Ratio to DDPM" not in html


def test_no_times_at_all_are_a_table_without_rows(tmp_path):
    table, html, _ = tabulated(tmp_path, [])
    assert table.empty and {"method", "dataset", "metric", "mean"} <= set(table.columns)
    assert "There are no scores" in html
