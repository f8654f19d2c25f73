"""Reconstructions and anomaly maps: written as they come, and read beside the scans."""

import tracemalloc

import numpy as np
import pytest

from brainuad.images.computed_volumes import (
    MEASURES,
    deviation_of_samples,
    read_anomaly_maps,
    read_reconstructions,
    scans_with,
    write_anomaly_maps,
    write_reconstructions,
)
from brainuad.images.slices import SliceStack, read_slices, write_slices
from brainuad.io.errors import SettingsError

SHAPE = (2, 3, 4)


def volumes(count, shape=SHAPE):
    return np.random.default_rng(0).random((count, *shape), dtype=np.float32)


def stack_of(subjects, images):
    return SliceStack(
        images=images,
        brain_masks=images > 0.5,
        lesions=(images > 0.9).astype(np.uint8),
        subjects=np.array(list(subjects)),
        affines=np.tile(np.eye(4), (len(images), 1, 1)),
    )


def test_maps_come_back_with_their_measures(tmp_path):
    maps = volumes(2)
    measured = [
        dict(zip(MEASURES, values, strict=True)) for values in ((0.1, 2.5, 3), (1 / 3, 4, 5))
    ]
    measured[1]["l1_ratio"] = float("nan")
    path = tmp_path / "maps.npz"
    pictures = [maps[0, 1], maps[1, 0]]
    written = zip(maps, measured, pictures, strict=True)
    write_anomaly_maps(path, ["a", "Ä"], written, shape=SHAPE)
    read = read_anomaly_maps(path)
    assert read.names.tolist() == ["a", "Ä"]
    assert np.array_equal(np.stack([read.volume(row) for row in range(2)]), maps)
    assert read.volume(0).dtype == np.float32
    np.testing.assert_equal([read.measures_of(subject) for subject in ("a", "Ä")], measured)
    assert np.array_equal(read.pictured_of("Ä"), pictures[1])
    with np.load(path) as arrays:
        assert set(arrays) == {"names", "anomaly_maps", "pictured", *MEASURES}
        assert arrays["anomaly_maps"].dtype == np.float32
        assert arrays["mean_residual"].dtype == np.float64


def test_nobody_at_all_is_a_file_too(tmp_path):
    write_reconstructions(tmp_path / "none.npz", [], [], shape=SHAPE)
    read = read_reconstructions(tmp_path / "none.npz")
    assert read.names.tolist() == [] and read.volumes.shape == (0, *SHAPE)
    assert read.names.dtype.kind == "U"


def test_a_file_appears_only_when_all_of_it_is_there(tmp_path):
    def stopping():
        yield volumes(1)[0]
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        write_reconstructions(tmp_path / "a.npz", ["a", "b"], stopping(), shape=SHAPE)
    assert list(tmp_path.iterdir()) == []


def test_scans_and_volumes_pair_by_subject_and_those_left_out_are_logged(tmp_path, capsys):
    images = volumes(3)
    stack = stack_of("abc", images)
    write_reconstructions(tmp_path / "made.npz", ["c", "a"], images[[2, 0]], shape=SHAPE)
    computed = read_reconstructions(tmp_path / "made.npz")
    pairs = scans_with(stack, computed, ["c", "x", "a", "y"])
    assert [scan.subject for scan, _ in pairs] == ["c", "a"]
    for scan, reconstruction in pairs:
        assert np.array_equal(scan.image, reconstruction)
    said = "left out in preprocessing, so not scored: x, y"
    assert capsys.readouterr().out.splitlines() == [said]
    with pytest.raises(SettingsError, match=r"made\.npz lacks b; delete it"):
        scans_with(stack, computed, ["a", "b"])


def test_without_a_model_there_are_scans_alone(capsys):
    pairs = scans_with(stack_of("ab", volumes(2)), None, ["b", "x"])
    assert [(scan.subject, volume) for scan, volume in pairs] == [("b", None)]
    assert "not scored: x" in capsys.readouterr().out


def test_samples_are_read_together_or_as_their_mean(tmp_path):
    samples = volumes(6).reshape(2, 3, *SHAPE)
    path = tmp_path / "made.npz"
    write_reconstructions(path, ["a", "b"], samples, shape=SHAPE, samples=3)
    with np.load(path) as arrays:
        assert np.array_equal(arrays["reconstructions"], samples)
    stack, computed = stack_of("ab", samples[:, 0]), read_reconstructions(path)
    (_, mean), (_, again) = scans_with(stack, computed, ["b", "a"])
    np.testing.assert_allclose(mean, samples[1].mean(axis=0, dtype=np.float64), rtol=1e-6)
    np.testing.assert_allclose(again, samples[0].mean(axis=0, dtype=np.float64), rtol=1e-6)
    assert mean.dtype == np.float32 and computed.has_samples
    expected = np.std(samples[1], axis=0, ddof=1, dtype=np.float64)
    np.testing.assert_allclose(deviation_of_samples(samples[1]), expected, rtol=1e-5)
    assert deviation_of_samples(samples[1, 0]) is None
    (_, first), (_, second) = scans_with(stack, computed, ["b", "a"], all_samples=True)
    assert np.array_equal(first, samples[1]) and np.array_equal(second, samples[0])


def test_of_one_sample_there_is_no_axis(tmp_path):
    made = volumes(1)
    for name, options in {"plain": {}, "sample": {"samples": 1}}.items():
        write_reconstructions(tmp_path / name, ["a"], made, shape=SHAPE, **options)
    assert (tmp_path / "plain").read_bytes() == (tmp_path / "sample").read_bytes()
    pairs = scans_with(
        stack_of("a", made), read_reconstructions(tmp_path / "plain"), ["a"], all_samples=True
    )
    assert np.array_equal(pairs[0][1], made[0])


def test_a_file_whose_parts_do_not_fit_is_told(tmp_path):
    np.savez(tmp_path / "odd.npz", names=np.array(["a"]), reconstructions=volumes(2))
    with pytest.raises(SettingsError, match=r"odd\.npz holds 1 names and 2 reconstructions"):
        read_reconstructions(tmp_path / "odd.npz")
    with pytest.raises(SettingsError, match="holds no array anomaly_maps"):
        read_anomaly_maps(tmp_path / "odd.npz")


def test_a_volume_is_held_at_a_time(tmp_path):
    count, shape = 40, (16, 50, 50)
    subjects = [f"s{number}" for number in range(count)]
    made = volumes(count, shape)
    stack = stack_of(subjects, made)
    write_slices(stack, tmp_path / "slices.npz")
    np.savez(tmp_path / "made.npz", names=subjects[::-1], reconstructions=-made[::-1])
    tracemalloc.start()
    pairs = scans_with(
        read_slices(tmp_path / "slices.npz"),
        read_reconstructions(tmp_path / "made.npz"),
        ["s7", *subjects],
    )
    for scan, reconstruction in pairs:
        number = int(scan.subject[1:])
        assert np.array_equal(scan.image, made[number])
        assert np.array_equal(reconstruction, -made[number])
        assert np.array_equal(scan.brain_mask, stack.brain_masks[number])
        assert np.array_equal(scan.lesions, stack.lesions[number])
    negative = (-reconstruction for _, reconstruction in pairs)
    names = [f"{scan.subject}_{place}" for place, scan in enumerate(pairs.scans)]
    write_reconstructions(tmp_path / "again.npz", names, negative, shape=shape)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(pairs) == count + 1
    assert np.array_equal(read_reconstructions(tmp_path / "again.npz").volume(8), made[7])
    # A volume and its compressed bytes, while the last one is still held; all are 6.4 MB.
    assert peak < 10 * made[0].nbytes
