"""Why jobs failed, a line for each, where Snakemake ends: at the end of its output."""

import re
from pathlib import Path

FAILED = re.compile(
    r"^Error in rule (?P<rule>[^:\n]+):\n(?: {4}.*\n)*? {4}jobid: (?P<job>\d+)\n(?: {4}.*\n)*?"
    r" {4}log: (?P<log>.+?) \(check log",
    re.MULTILINE,
)
FINISHED = re.compile(r"^Finished jobid: (?P<job>\d+)", re.MULTILINE)
# After the indented lines of a traceback: the class of the error, then its text, on several lines
# perhaps, of which the first says most.
ERROR = re.compile(
    r"^Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*"
    r"(?P<error>(?:[\w.]+\.)?(?P<kind>\w+)(?:: (?P<text>.*))?)",
    re.MULTILINE,
)
FOR_USERS = ("ScanError", "SettingsError")


def why_jobs_failed(snakemake_log: Path) -> list[str]:
    """The rule, the reason and the log of each job that failed in a run, in words.

    snakemake_log  Snakemake's own log; the paths in it count from the working directory

    A job that succeeded when it was retried is not named.
    """
    text = snakemake_log.read_text(encoding="utf-8", errors="replace")
    finished = {match["job"]: match.start() for match in FINISHED.finditer(text)}
    failed = {match["job"]: match for match in FAILED.finditer(text)}
    return [
        f"{match['rule']}: {_reason(Path(match['log']))} ({match['log']})"
        for job, match in failed.items()
        if finished.get(job, -1) < match.start()
    ]


def _reason(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    errors = list(ERROR.finditer(text))
    if not errors:
        return "no error is in its log; it may have been killed for memory or time"
    last = errors[-1]
    return last["text"] if last["kind"] in FOR_USERS and last["text"] else last["error"]
