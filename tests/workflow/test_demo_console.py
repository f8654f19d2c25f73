"""The demo tells of each job in a line, and of an error all that Snakemake says."""

import os
import subprocess
from pathlib import Path

PROJECT = Path(__file__).parents[2]

SAID = """\
total  3

Select jobs to execute...
Execute 2 jobs...

[Fri Nov 27 04:49:25 2026]
localrule strip_skull:
    input: results/resampled/atlas_t1/chunk000, results/subjects/atlas.tsv
    log: logs/strip_skull/atlas_t1/chunk000.log
    jobid: 362
    wildcards: cohort=atlas_t1, chunk=000
    resources: tmpdir=/tmp
[Fri Nov 27 04:49:25 2026]
localcheckpoint check_models:
    output: results/models/sizes.tsv
    resources: tmpdir=/tmp
Activating conda environment: ../.environments/rules/501741cb2f9c9bdf78c10a5002dca628_
atlas: the scan is cut short
[Fri Nov 27 04:50:24 2026]
Finished jobid: 1 (Rule: check_models)
1 of 3 steps (33%) done
[Fri Nov 27 04:50:25 2026]
Error in rule strip_skull:
    jobid: 362
    log: logs/strip_skull/atlas_t1/chunk000.log (check log file(s) for error details)
Execute 1 jobs...

[Fri Nov 27 04:50:28 2026]
rule train_model:
    jobid: 4
    wildcards: model=ddpm
    resources: tmpdir=/tmp
[Fri Nov 27 04:59:28 2026]
Finished jobid: 4 (Rule: train_model)
3 of 3 steps (100%) done
"""
TOLD = """\
total  3

strip_skull cohort=atlas_t1, chunk=000
check_models
atlas: the scan is cut short
Error in rule strip_skull:
    jobid: 362
    log: logs/strip_skull/atlas_t1/chunk000.log (check log file(s) for error details)

1 of 3  train_model model=ddpm
3 of 3 steps (100%) done
"""


def test_a_job_is_a_line_and_a_failure_stays_one(tmp_path):
    (tmp_path / "said").write_text(SAID, encoding="utf-8")
    fake = tmp_path / "snakemake"
    fake.write_text(f"#!/bin/sh\ncat {tmp_path}/said >&2\nexit 3\n", encoding="utf-8")
    fake.chmod(0o755)
    variables = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [PROJECT / "demo" / "run.sh", "demo"]
    done = subprocess.run(
        command, cwd=tmp_path, env=variables, timeout=60, text=True, capture_output=True
    )
    assert done.returncode == 3
    assert done.stdout == TOLD
