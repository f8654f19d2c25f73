"""The digest of the code behind a rule follows what the code means, and nothing else."""

from pathlib import Path

import pytest

from brainuad.io.errors import SettingsError
from brainuad.plan.code_digest import code_digest

SCRIPT = '''"""Score a scan."""

import math
from pathlib import Path

from brainuad.io import job
from brainuad.io.progress import progress_bar
from brainuad.scores.absolute import score

FACTOR: float = 2.0


def main(scans: list[Path], *, power: int = 2) -> None:
    """Write a score."""
    total: float
    for scan in progress_bar(scans, total=len(scans), label="scans"):
        # As the paper has it.
        total = score(scan) + power
        if total > math.inf:
            raise ValueError("too much")
        job.log(f"{len(scans)} scans scored")


def mean(values):
    return sum(values) / len(values)


if __name__ == "__main__":
    with job.logging_to(snakemake.log[0]):
        main(snakemake.input)
'''
LIBRARY = {
    "__init__": '"""The library."""\n',
    "io/__init__": "",
    "io/job": "import os\n\ndef log(message):\n    print(message)\n",
    "io/progress": "def progress_bar(iterable, **options):\n    return iterable\n",
    "scores/__init__": "",
    "scores/absolute": """
from dataclasses import dataclass
from brainuad.io.job import log
from brainuad.scores import smoothing

@dataclass
class Settings:
    width: int = 3
    power: float = 1.0

def score(scan: str, exponent: float = 1.0) -> float:
    log(scan)
    return smoothing.smooth(scan) ** exponent
""",
    "scores/smoothing": "def smooth(scan):\n    return scan\n",
    "scores/squared": "def score(scan):\n    return scan * scan\n",
    "scores/page.html.jinja": "<p>{{ score }}</p>\n",
}


@pytest.fixture
def digest(tmp_path):
    """A function that gives the digest of the small library above, with files changed or added."""

    def of(*parts, **changes):
        # Files are read once in a process.
        root = tmp_path / str(len(list(tmp_path.iterdir())))
        for name, text in {"script": SCRIPT, **LIBRARY, **changes}.items():
            folder = root if name == "script" else root / "brainuad"
            file = folder / (name if Path(name).suffix else f"{name}.py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return code_digest(root / "script.py", *parts)

    return of


def changed(text, old, new):
    assert text.count(old) == 1
    return text.replace(old, new)


def test_a_digest_is_short_and_the_same_wherever_the_files_lie(digest):
    assert digest() == digest()
    assert len(digest()) == 16
    assert int(digest(), 16) > 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# As the paper has it.", "# As in the released code."),
        ("        # As the paper has it.\n", ""),
        ('"""Score a scan."""', '"""Score scans,\n\none after the other."""'),
        ('    """Write a score."""\n', ""),
        ("def mean(values):\n", 'def mean(values):\n    """Of at least one."""\n    pass\n'),
        ("FACTOR: float = 2.0\n\n", "FACTOR: float = 2.0\n\n\n\n"),
        ("score(scan) + power", "(score(scan)\n        + power)"),
        ('"too much"', "'too ' 'much'"),
        ("2.0", "2e0"),
        ("FACTOR: float = 2.0", "FACTOR = 2.0"),
        ("    total: float\n", ""),
        ("power: int = 2", "power: float = 2"),
        (") -> None:", "):"),
        ("mean(values):", "mean(values: list[float]) -> float:"),
        ("scans scored", "scans were scored"),
        ("{len(scans)} scans scored", "done"),
        ('        job.log(f"{len(scans)} scans scored")\n', ""),
        ("power\n", 'power\n        job.log("added")\n'),
        ("    return sum", "    job.log('added')\n    return sum"),
        ('label="scans"', 'label="volumes", initial=0'),
        ('progress_bar(scans, total=len(scans), label="scans")', "scans"),
        ("import math\nfrom pathlib import Path\n", "from pathlib import Path\nimport math\n"),
        ("import math\n", "import math\nfrom brainuad.io.errors import SettingsError\n"),
    ],
)
def test_what_means_the_same_has_the_same_digest(digest, old, new):
    assert digest(script=changed(SCRIPT, old, new)) == digest()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2.0", "2"),
        ("2.0", "2.0000000000000004"),
        ("2.0", "-2.0"),
        ('"too much"', 'b"too much"'),
        ('"too much"', '"too much."'),
        ("power: int = 2", "power: int = 3"),
        ("power: int = 2", "power: int"),
        ("*, power", "power"),
        ("scan) + power", "scan) - power"),
        ("total > math.inf", "total >= math.inf"),
        ("total = score", "total += score"),
        ("values) / len(values)", "values) // len(values)"),
        ("return sum(values) / len(values)", "sum(values) / len(values)"),
        ("return sum(values) / len(values)", "yield sum(values) / len(values)"),
        ("def mean", "async def mean"),
        ("if total", "while total"),
        ("import math", "import cmath as math"),
        ("import math", "import math\nimport numpy"),
        ("absolute import score", "squared import score"),
        ("absolute import score", "absolute import Settings as score"),
        ("progress_bar(scans,", "progress_bar(scans[1:],"),
        ("main(snakemake.input)", "main(snakemake.input, power=3)"),
        ("main(snakemake.input)", "main(*snakemake.input)"),
    ],
)
def test_what_may_mean_something_else_has_another_digest(digest, old, new):
    assert digest(script=changed(SCRIPT, old, new)) != digest()


def test_the_order_of_definitions_counts(digest):
    functions = ["def a():\n    return 1\n", "def b():\n    return 2\n"]
    assert digest(script="".join(functions)) != digest(script="".join(reversed(functions)))


def test_imports_keep_their_place_among_other_statements(digest):
    lines = ["import os\n", "os.environ['SEED'] = '1'\n", "import ants\n"]
    assert digest(script="".join(lines)) != digest(script="".join([lines[0], lines[2], lines[1]]))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("width: int = 3", "width: float = 3"),
        ("width: int = 3", "width: int = 4"),
        ("width: int = 3", "size: int = 3"),
        ("    width: int = 3\n    power: float = 1.0\n", "    power: float = 1.0\n"),
        ("width: int = 3\n    power: float = 1.0", "power: float = 1.0\n    width: int = 3"),
        ("@dataclass", "@dataclass(frozen=True)"),
        ("exponent: float = 1.0", "exponent: float = 2.0"),
    ],
)
def test_fields_of_dataclasses_and_defaults_count(digest, old, new):
    module = changed(LIBRARY["scores/absolute"], old, new)
    assert digest(**{"scores/absolute": module}) != digest()


def test_annotations_in_methods_do_not_count(digest):
    plain = "class A:\n    def f(self, x):\n        y = x\n        self.z = y\n"
    typed = "class A:\n    def f(self, x: T) -> T:\n        y: T = x\n        self.z: T = y\n"
    assert digest(**{"scores/absolute": typed}) == digest(**{"scores/absolute": plain})


def test_a_change_of_a_module_counts_for_its_importers_alone(digest):
    other = {"scores/smoothing": "def smooth(scan):\n    return 2 * scan\n"}
    comment = {"scores/smoothing": f"# New.\n{LIBRARY['scores/smoothing']}"}
    assert digest(**other) != digest()
    assert digest(**comment) == digest()
    assert digest(**{"scores/squared": "def score(scan):\n    return scan**3\n"}) == digest()
    script = "import math\n"
    assert digest(script=script, **other) == digest(script=script)


def test_a_part_found_by_name_counts_only_where_it_is_given(digest):
    other = {"scores/squared": "def score(scan):\n    return scan**3\n"}
    given = digest("scores/squared.py")
    assert digest() != given != digest("scores/squared.py", **other)
    both = ("scores/squared.py", "scores/page.html.jinja")
    assert digest(*both) == digest(*reversed(both))


def test_what_is_no_python_counts_by_its_bytes(digest):
    page = "scores/page.html.jinja"
    assert digest(page) not in (digest(), digest(page, **{page: "<p>{{ score }}</p>\n\n"}))


@pytest.mark.parametrize(
    "imported",
    [
        "import brainuad.scores.squared",
        "import brainuad.scores.squared as other",
        "from brainuad.scores import squared",
        "from brainuad.scores.squared import score as other",
        "def late():\n    from brainuad.scores import squared\n",
        "try:\n    import brainuad.scores.squared\nexcept ImportError:\n    pass\n",
    ],
)
def test_every_way_to_import_a_module_is_followed(digest, imported):
    script = f"{SCRIPT}\n{imported}\n"
    other = {"scores/squared": "def score(scan):\n    return scan**3\n"}
    assert digest(script=script) != digest(script=script, **other)


def test_packages_around_a_module_and_other_scripts_count(digest):
    assert digest(**{"scores/__init__": "import warnings\n"}) != digest()
    script = f"import other\n{SCRIPT}"
    given = [digest(script=script, **{"../other": f"X = {number}\n"}) for number in (1, 2)]
    assert given[0] != given[1]


@pytest.mark.parametrize("imported", ["from . import job", "from brainuad.scores.squared import *"])
def test_an_import_that_cannot_be_followed_is_one_line(digest, imported):
    with pytest.raises(SettingsError, match=r"squared\.py, line 2: a relative or star import") as e:
        digest("scores/squared.py", **{"scores/squared": f"\n{imported}\n"})
    assert "\n" not in str(e.value)


def test_a_file_that_is_no_python_or_not_there_is_one_line(digest):
    with pytest.raises(SettingsError, match=r"squared\.py, line 2: is not Python: ") as e:
        digest("scores/squared.py", **{"scores/squared": "\ndef score(scan:\n"})
    assert "\n" not in str(e.value)
    with pytest.raises(
        SettingsError, match=r"cubed\.py: there is no such file; add it, or correct"
    ):
        digest("scores/cubed.py")


def test_modules_without_effect_do_not_count(digest):
    assert digest(**{"io/job": "def log(message):\n    raise ValueError\n"}) == digest()
    bare = "X = 1\n"
    imports = "from brainuad.io import job\nfrom brainuad.io.errors import ScanError\n"
    assert digest(script=imports + bare) == digest(script=bare)


def test_a_log_line_counts_by_what_it_does_beside_telling(digest):
    def with_line(words):
        return digest(script=changed(SCRIPT, '"{len(scans)} scans scored"', words))

    assert with_line('"{check(scans)}"') == with_line('"all: {check(scans)}"')
    assert len({digest(), with_line('"{check(scans)}"'), with_line('"{check(scans, 2)}"')}) == 3
    assert with_line('"{(total := 3)}"') != digest()


def test_the_text_of_an_error_that_ends_a_job_does_not_count(digest):
    script = (
        "from brainuad.io.errors import {0}\n\ntry:\n    X = 1\nexcept {2}:\n    raise {0}({1})"
    )

    def with_error(text, name="SettingsError", caught="KeyError"):
        return digest(script=script.format(name, text, caught))

    assert with_error('"too few"') == with_error('f"only {X}; give more"')
    assert (
        with_error('"too few"') != with_error('f"{check(X)}"') == with_error('f"only {check(X)}"')
    )
    assert with_error('"too few"') != with_error('"too few"', caught="ValueError")
    assert with_error('"too few"', "ScanError") != with_error('"too many"', "ScanError")


def test_a_function_of_ones_own_that_is_called_log_counts(digest):
    script = "def log(values):\n    values.pop()\n\n\nlog([{}])\n"
    assert digest(script=script.format(1)) != digest(script=script.format(2))
