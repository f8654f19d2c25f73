"""Why jobs failed, a line for each, where Snakemake ends: at the end of its output."""

import re
from pathlib import Path

FAILED = re.compile(
    r"^Error in rule (?P<rule>[^:\n]+):\n(?: {4}.*\n)*? {4}jobid: (?P<job>\d+)\n(?: {4}.*\n)*?"
    r" {4}log: (?P<log>.+?) \(check log",
    re.MULTILINE,
)
FINISHED = re.compile(r"^Finished jobid: (\d+)", re.MULTILINE)
# How Python ends a traceback: the class of the error, then its text.
ERROR = re.compile(r"(?:[\w.]+\.)?(?P<kind>\w+): (?P<text>.+)")
FOR_USERS = ("ScanError", "SettingsError")


def why_jobs_failed(snakemake_log: Path) -> list[str]:
    """The rule, the reason and the log of each job that failed in a run, in words.

    snakemake_log  Snakemake's own log; the paths in it count from the working directory

    A job that succeeded when it was retried is not named.
    """
    text = snakemake_log.read_text(encoding="utf-8", errors="replace")
    finished = set(FINISHED.findall(text))
    failed = {match["job"]: match for match in FAILED.finditer(text)}
    return [
        f"{match['rule']}: {_reason(Path(match['log']))} ({match['log']})"
        for job, match in failed.items()
        if job not in finished
    ]


def _reason(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    last = next((line for line in reversed(lines) if line.strip()), "")
    error = ERROR.fullmatch(last)
    if error is None:
        return "ended without an error of its own; it may have been killed for memory or time"
    return error["text"] if error["kind"] in FOR_USERS else last
