"""Correctness: tests/gpu, most important first; their measurements become rows."""

import subprocess
import sys

from measuring import PROJECT, Row

from on_gpu import rows

# Whole networks first: small tests do not show errors of compiled code.
FILES = ("test_full_size.py", "test_kinds.py", "test_repeatable_steps.py", "test_resume.py")


def main() -> None:
    folder = PROJECT / "tests" / "gpu"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-v", "--durations=10"),
            *("-p", "no:cacheprovider", "-p", "on_gpu.right"),
            *(str(folder / name) for name in FILES),
        ]
    )
    sys.exit(done.returncode)


def pytest_runtest_logreport(report) -> None:
    """A pytest hook: each test becomes a row as soon as it ends."""
    name = report.nodeid.rpartition("/")[2].replace("::", ": ")
    for what, (value, limit) in report.user_properties:
        if report.when == "call":
            rows.write(Row(f"{name}: {what}", value, "", goal=f"value <= {limit}"))
    if report.failed or (report.when == "call" and report.passed):
        rows.write(Row(name, float(report.passed), "passed", goal="value >= 1"))


if __name__ == "__main__":
    main()
