"""The pages of docs/reference that are made from the code say what the code says."""

import re
import runpy

import pytest
import yaml
from small_study import PAPER, PROJECT

from brainuad.io.errors import ScanError, SettingsError

MADE = ("write_config", "write_rules", "write_messages")


def script(name: str) -> dict:
    return runpy.run_path(str(PROJECT / "docs" / f"{name}.py"))


@pytest.mark.parametrize("name", MADE)
def test_page_is_in_step_with_the_code(name):
    made = script(name)
    assert made["PAGE"].read_text(encoding="utf-8") == made["document"](), "run `make docs`"


def test_every_key_has_its_part_of_the_config_file():
    parts = dict(script("write_config")["sections"]())
    assert list(parts) == list(PAPER)
    # A part may use anchors of one before it, so that only the whole can be read.
    assert yaml.safe_load("\n".join(parts.values())) == PAPER


def test_keys_and_values_of_the_config_page():
    page = script("write_config")["document"]()
    assert "| `folds` | an integer, 1 or more |" in page
    assert "| `datasets.*.validation` | an integer, 0 or more; left out: `0` |" in page
    assert "| `gpu.precision` | `bf16` or `fp32` |" in page
    assert "| `mahalanobis` | `score.as_released` | true or false; left out: `false` |" in page


def test_every_rule_is_on_the_page():
    rules = script("write_rules")["rules"]()
    text = "\n".join(path.read_text() for path in (PROJECT / "workflow/rules").glob("*.smk"))
    names = re.findall(r"^(?:rule|checkpoint) (\w+):", text, flags=re.MULTILINE)
    assert sorted(rule.name for rule in rules) == sorted(names)
    assert [rule.name for rule in rules if rule.is_checkpoint] == ["leave_out_copies"]


def test_messages_of_a_file_are_found(tmp_path):
    file = tmp_path / "errors.py"
    file.write_text(
        "def f(path, reason):\n"
        "    if reason:\n"
        "        raise ScanError(f'{path}: the file is cut short; ' 'download it again')\n"
        "    raise SettingsError(str(reason)) from None\n"
    )
    found = script("write_messages")["messages_of"](file)
    assert found == [(ScanError.__name__, "…: the file is cut short; download it again")]
    assert set(script("write_messages")["KINDS"]) == {ScanError.__name__, SettingsError.__name__}
