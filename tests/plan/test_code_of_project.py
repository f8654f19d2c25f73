"""The digests of the project's own scripts, beside what Python itself imports."""

import ast
import os
import shutil
import subprocess
import sys

import pytest

from brainuad.plan.code_digest import SCRIPTS, WITHOUT_EFFECT, code_digest, files_behind


def modules(files):
    names = (file.relative_to(SCRIPTS).with_suffix("").parts for file in files)
    return {".".join(parts).removesuffix(".__init__") for parts in names}


def test_every_script_has_a_digest_of_its_own():
    names = [file.stem for file in SCRIPTS.glob("*.py")]
    assert len({code_digest(name) for name in names}) == len(names) > 30


def test_the_library_as_python_prints_it_has_the_same_digests(tmp_path):
    """Without comments, blank lines and a person's way to break lines."""
    for file in SCRIPTS.rglob("*.py"):
        copy = tmp_path / file.relative_to(SCRIPTS)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(ast.unparse(ast.parse(file.read_bytes())), encoding="utf-8")
    for file in SCRIPTS.glob("*.py"):
        assert code_digest(tmp_path / file.name) == code_digest(file.stem), file.name


def test_a_model_of_another_kind_is_other_code():
    kinds = ("models/autoencoder.py", "models/diffusion.py")
    assert len({code_digest("train_model"), *(code_digest("train_model", k) for k in kinds)}) == 3


def test_modules_without_effect_exist_and_lean_on_no_other_modules():
    files = [SCRIPTS / f"{name.replace('.', '/')}.py" for name in WITHOUT_EFFECT]
    found = modules(files_behind(SCRIPTS, files)) - {"brainuad"}
    packages = {name.rpartition(".")[0] for name in WITHOUT_EFFECT}
    # What makes settings of values counts wherever a script calls it.
    assert found - packages - {"brainuad.config.settings"} == WITHOUT_EFFECT.keys()


def blocks_without_effect():
    """Each class, as its source has it, of the config's modules that don't count."""
    for name in WITHOUT_EFFECT:
        if name.startswith("brainuad.config."):
            source = SCRIPTS.joinpath(f"{name.replace('.', '/')}.py").read_bytes()
            yield from (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))


def test_settings_that_do_not_count_carry_what_they_are_given():
    """They have no default that a job would take, and no method but the one that refuses values."""
    found = list(blocks_without_effect())
    for block in found:
        fields = {field.target.id: field.value for field in block.body if hasattr(field, "target")}
        if block.name == "MethodBlock":
            # The plan reads it, and jobs are given its timesteps and samples.
            assert fields.pop("timesteps") is not None and fields.pop("samples") is not None
        assert set(fields.values()) <= {None}, block.name
        methods = [part for part in block.body if isinstance(part, ast.FunctionDef)]
        assert {method.name for method in methods} <= {"__post_init__"}
        assert "__setattr__" not in ast.unparse(block)
    assert len(found) > 20


@pytest.mark.parametrize(
    ("module", "counts"),
    [
        ("config/models", False),
        ("config/limits", False),
        ("config/device", False),
        ("config/kinds/diffusion", True),
        ("config/settings", True),
    ],
)
def test_a_new_field_of_the_config_trains_no_model_anew_but_one_of_its_kind(
    tmp_path, module, counts
):
    shutil.copytree(SCRIPTS, tmp_path, dirs_exist_ok=True)
    with tmp_path.joinpath("brainuad", f"{module}.py").open("a", encoding="utf-8") as file:
        file.write("\n\n@dataclass(frozen=True)\nclass Clipping:\n    norm: float\n")
    parts = ("train_model", "models/diffusion.py")
    before, after = code_digest(*parts), code_digest(tmp_path / "train_model.py", parts[1])
    assert (before != after) == counts


@pytest.mark.parametrize(
    ("script", "part"),
    [("list_subjects", "datasets.layouts.ixi"), ("train_model", "models.diffusion")],
)
def test_all_that_python_imports_counts_or_is_without_effect(script, part):
    code = f"import {script}, brainuad.{part}, sys; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {name for name in run.stdout.split() if name.partition(".")[0] == "brainuad"}
    files = [SCRIPTS / f"{script}.py", SCRIPTS / "brainuad" / f"{part.replace('.', '/')}.py"]
    counted = modules(files_behind(SCRIPTS, files)) - {script}
    assert len(counted) > 10
    assert counted == loaded - WITHOUT_EFFECT.keys()
