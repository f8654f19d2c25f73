"""What YAML would take without a word is refused with its place in the file."""

import pytest

from brainuad.config.files import has_keys
from brainuad.io.errors import SettingsError

REFUSED = {
    "at the top level": (
        "seed: 1\nfolds: 2\nseed: 3\n",
        "line 3: the key seed appears twice, first in line 1",
    ),
    "in a nested block": (
        "datasets:\n  ixi:\n    root: a\n    test: 1\n    root: b\n",
        "line 5: the key datasets.ixi.root appears twice, first in line 3",
    ),
    "whole blocks": (
        "methods: {ae: {kind: thresh}}\ndatasets:\n  ixi: {}\nmethods: {}\n",
        "line 4: the key methods appears twice, first in line 1",
    ),
    "in one line": (
        "gpu: {compile: true, compile: false}",
        "the key gpu.compile appears twice",
    ),
    "in a list": ("a:\n- {b: 1}\n- {b: 1, c: 2, b: 3}\n", "line 3: the key a.b appears twice"),
    "in quotes": ("seed: 1\n'seed': 2\n", "line 2: the key seed appears twice"),
    "behind an anchor": (
        "a: &block {b: 1, b: 2}\nc: *block\n",
        "line 1: the key a.b appears twice",
    ),
    "two merges": (
        "a: &a {x: 1}\nb: &b {x: 2}\nc:\n  <<: *a\n  <<: *b\n",
        "line 5: the key c.<< appears twice, first in line 4",
    ),
    "in JSON": ('{\n\t"seed": 1,\n\t"seed": 2\n}', "the key 'seed' appears twice in one block"),
    "a key that is false": (
        "datasets:\n  no: {}\n",
        "line 2: YAML does not read the key datasets.no as text",
    ),
    "a key that is a number": (
        "datasets: {2024: {}}",
        "line 1: YAML does not read the key datasets.2024 as text",
    ),
    "a key that is a date": (
        "datasets: {2024-01-31: {}}",
        "YAML does not read the key datasets.2024-01-31 as text",
    ),
    "a key that is empty": ("datasets: {~: {}}", "YAML does not read the key datasets.~ as text"),
    "Latin-1": (
        "seed: 1\n# M\xfcller\n".encode("latin-1"),
        "line 2: holds a character that is not",
    ),
    "UTF-16": ("seed: 1\n".encode("utf-16"), "line 1: holds a character that is not UTF-8"),
    "UTF-16 without a mark": (
        "seed: 1\n".encode("utf-16-le"),
        "line 1: holds a character that is not UTF-8; save the file as UTF-8",
    ),
    "a tab": ("gpu:\n\tcompile: true\n", "line 2: is not YAML"),
    "a list": ("- seed\n", "has no keys at its top level"),
    "a word": ("seed\n", "has no keys at its top level"),
    "two documents": ("seed: 1\n---\nseed: 2\n", "line 2: is not YAML"),
    "a character of control": ("seed: \x01\n", "is not YAML"),
}


def write(folder, content):
    path = folder / "config.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(("content", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_its_place(tmp_path, content, expected):
    path = write(tmp_path, content)
    with pytest.raises(SettingsError) as caught:
        has_keys(path)
    assert str(caught.value).startswith(str(path))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "\n\n", "# a comment\n", "---\n", "null\n"])
def test_a_file_without_keys_changes_nothing(tmp_path, content):
    assert has_keys(write(tmp_path, content)) is False


@pytest.mark.parametrize(
    "content",
    [
        "seed: 1\n",
        "{}",
        '{\n\t"seed": 1,\n\t"gpu": {"seed": 2}\n}',
        # A key of the block itself takes the place of a merged one; blocks may have equal keys.
        "a: &a {x: 1}\nb: {<<: *a, x: 2}\nc: {x: 3}\nd: [{x: 1}, {x: 2}]\n",
        "datasets: {'no': {}, '2024': {}}\n",
        "\ufeffseed: 1\n",
    ],
)
def test_what_is_right_is_used(tmp_path, content):
    assert has_keys(write(tmp_path, content)) is True


def test_a_folder_is_no_config_file(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        has_keys(tmp_path)
