"""A bundle that is not what it should be is refused in one line."""

import json
import os
import shutil

import pytest
from bare_bundle import bare_bundle
from odd_scans import LFS_POINTER

from brainuad.io import bundle_files
from brainuad.io.bundle_files import FORMAT, check_bundle, read_settings, write_checksums
from brainuad.io.errors import SettingsError


@pytest.fixture
def bundle(tmp_path):
    return bare_bundle(tmp_path / "cddpm_t2", {"models": {"cddpm": {}}})


def changed(bundle, name, content="other"):
    (bundle / name).parent.mkdir(parents=True, exist_ok=True)
    (bundle / name).write_text(content, encoding="utf-8")


def relisted(bundle, *names):
    """The checksums without some of their lines."""
    lines = (bundle / "checksums.sha256").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.endswith(names)]
    changed(bundle, "checksums.sha256", "".join(f"{line}\n" for line in kept))


def test_a_whole_one_is_read(bundle):
    # Snakemake leaves it in each folder that it made.
    (bundle / ".snakemake_timestamp").touch()
    check_bundle(bundle)
    assert read_settings(bundle)["models"] == {"cddpm": {}}


REFUSED_AT_ONCE = {
    "nothing there": (lambda b: shutil.rmtree(b), "there is no configs/settings.json; name the"),
    "missing weights": (
        lambda b: (b / "models/model.safetensors").unlink(),
        "lacks models/model.safetensors",
    ),
    "missing table": (lambda b: (b / "scores/scores.tsv").unlink(), "lacks scores/scores.tsv"),
    "missing threshold that is listed": (
        lambda b: (b / "thresholds/fitted_mslub.json").unlink(),
        "lacks thresholds/fitted_mslub.json",
    ),
    "missing checksums": (lambda b: (b / "checksums.sha256").unlink(), "lacks checksums.sha256"),
    "damaged checksums": (
        lambda b: changed(b, "checksums.sha256", "../../etc/passwd"),
        "checksums.sha256 is damaged",
    ),
    "unlisted file": (
        lambda b: relisted(b, "scores.tsv"),
        "checksums.sha256 does not list scores/scores.tsv",
    ),
    "path that leaves the folder": (
        lambda b: changed(
            b, "checksums.sha256", (b / "checksums.sha256").read_text() + f"{'0' * 64}  ../x\n"
        ),
        "lacks ../x",
    ),
    "pickle of torch": (
        lambda b: changed(b, "models/model.pt"),
        "holds models/model.pt, which may",
    ),
    "pickle elsewhere": (lambda b: changed(b, "a/b.PKL"), "holds a/b.PKL, which may be a pickle"),
    "unknown file": (
        lambda b: changed(b, "models/run.py"),
        "holds models/run.py, which is not a file of a bundle",
    ),
    "mark with a content": (
        lambda b: changed(b, ".snakemake_timestamp"),
        "holds .snakemake_timestamp, which is not a file of a bundle",
    ),
    "link": (
        lambda b: (
            (b / "docs/README.md").unlink() or (b / "docs/README.md").symlink_to("/etc/passwd")
        ),
        "docs/README.md is a link",
    ),
    "pipe": (
        lambda b: (b / "docs/README.md").unlink() or os.mkfifo(b / "docs/README.md"),
        "docs/README.md is not a regular file",
    ),
    "linked folder": (lambda b: (b / "more").symlink_to(b.parent), "more is a link"),
    "other format": (
        lambda b: changed(b, "configs/settings.json", '{"format": 1}'),
        f"has format 1, and this workflow reads {FORMAT}",
    ),
    "no format": (
        lambda b: changed(b, "configs/settings.json", "{}"),
        f"has format None, and this workflow reads {FORMAT}",
    ),
    "settings that are no JSON": (
        lambda b: changed(b, "configs/settings.json", "{"),
        "configs/settings.json is damaged",
    ),
    "changed settings": (
        lambda b: changed(b, "configs/settings.json", f'{{"format": {FORMAT}, "models": {{}}}}'),
        "configs/settings.json is damaged or was changed",
    ),
}


@pytest.mark.parametrize("case", REFUSED_AT_ONCE)
def test_refused_while_the_config_is_read(bundle, case):
    change, message = REFUSED_AT_ONCE[case]
    change(bundle)
    with pytest.raises(SettingsError) as caught:
        read_settings(bundle)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"bundle {bundle}: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["models/model.safetensors", "thresholds/healthy.json"])
def test_damaged_files_are_refused_before_they_are_used(bundle, name):
    content = bytearray((bundle / name).read_bytes())
    content[-1] ^= 1
    (bundle / name).write_bytes(content)
    read_settings(bundle)
    with pytest.raises(SettingsError, match=f"{name} is damaged or was changed"):
        check_bundle(bundle)


def test_a_pointer_in_place_of_a_file_is_named(bundle):
    (bundle / "models/model.safetensors").write_bytes(LFS_POINTER)
    with pytest.raises(SettingsError, match=r"model\.safetensors is a pointer of git-lfs; get its"):
        check_bundle(bundle)


def test_a_method_without_a_model_needs_no_weights(bundle):
    (bundle / bundle_files.WEIGHTS).unlink()
    changed(bundle, "configs/settings.json", f'{{"format": {FORMAT}, "models": {{}}}}')
    (bundle / "checksums.sha256").unlink()
    write_checksums(bundle)
    check_bundle(bundle)


def test_settings_without_models_need_no_weights(bundle):
    """What else they lack is seen where they are used."""
    (bundle / bundle_files.WEIGHTS).unlink()
    changed(bundle, "configs/settings.json", f'{{"format": {FORMAT}}}')
    (bundle / "checksums.sha256").unlink()
    write_checksums(bundle)
    check_bundle(bundle)


def test_a_normative_score_needs_its_reference(bundle):
    content = {
        "format": FORMAT,
        "models": {"ae": {}},
        "methods": {"ae": {"score": {"kind": "normative"}}},
    }
    changed(bundle, "configs/settings.json", json.dumps(content))
    (bundle / "checksums.sha256").unlink()
    write_checksums(bundle)
    with pytest.raises(SettingsError, match=r"lacks healthy/reference\.npz; get the bundle"):
        check_bundle(bundle)
    changed(bundle, "healthy/reference.npz", "numbers")
    (bundle / "checksums.sha256").unlink()
    write_checksums(bundle)
    check_bundle(bundle)
