"""Move the pins of all environments to the newest versions that fit together, and print what moved.

    .environments/snakemake/bin/python envs/move_pins.py [options of pip install]

A file written in one environment is read in another, so a package has one version in all files: pip
resolves the files that share packages together. Nothing is written unless all can be resolved.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PYTHON = "python={}.{}".format(*sys.version_info)
PIN = re.compile(r"(?<=^      - )([\w.-]+)(\[\w+\])?==(\S+)$", re.MULTILINE)


def canonical(name: str) -> str:
    """A package's name as indices compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def groups(texts: dict[Path, str]) -> list[set[str]]:
    """The requirements, without versions, of the files that share packages."""
    found: list[set[str]] = []
    for text in texts.values():
        joined = {name + extras for name, extras, _ in PIN.findall(text)}
        for other in [group for group in found if group & joined]:
            found.remove(other)
            joined |= other
        found.append(joined)
    return found


def newest(requirements: set[str], options: list[str]) -> dict[str, str]:
    """The newest versions that fit together, by package; pip downloads what it must look into."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    command = [*pip, "--dry-run", "--ignore-installed", "--report", "-", *options]
    done = subprocess.run([*command, *sorted(requirements)], stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(
            f"move_pins.py: pip finds no versions of these that fit together, so no file was "
            f"changed: {', '.join(sorted(requirements))}"
        )
    found = (item["metadata"] for item in json.loads(done.stdout)["install"])
    # Builds for a certain GPU, or for CPUs, have a suffix: 2.13.0+cpu.
    return {canonical(one["name"]): one["version"].partition("+")[0] for one in found}


def main(options: list[str]) -> None:
    texts = {file: file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.yaml"))}
    for file, text in texts.items():
        if PYTHON not in text:
            sys.exit(f"move_pins.py: {file.name} is for another Python than this one ({PYTHON})")
    versions: dict[str, str] = {}
    for requirements in groups(texts):
        versions |= newest(requirements, options)
    moves = set()
    for file, text in texts.items():

        def move(pin: re.Match) -> str:
            name, extras, old = pin.groups(default="")
            new = versions[canonical(name)]
            if new != old:
                moves.add(f"{name} {old} -> {new}")
            return f"{name}{extras}=={new}"

        file.write_text(PIN.sub(move, text), encoding="utf-8")
    print("\n".join(sorted(moves)) or "All pins are the newest.")


if __name__ == "__main__":
    main(sys.argv[1:])
