"""What Snakemake's last lines say of the jobs that failed."""

from brainuad.plan.failures import why_jobs_failed

SNAKEMAKE_LOG = """\
Error in rule check_template:
    message: None
    jobid: 13
    output: results/template/brain.nii.gz
    log: {folder}/check.log (check log file(s) for error details)
    conda-env: /somewhere
Error in rule train_model:
    message: SLURM-job '7' failed
    jobid: 4
    log: {folder}/killed.log (check log file(s) for error details)
Trying to restart job 5.
Error in rule reconstruct:
    jobid: 5
    log: {folder}/retried.log (check log file(s) for error details)
Error in rule correct_bias:
    jobid: 6
    log: {folder}/fault.log (check log file(s) for error details)
Error in rule register_to_template:
    jobid: 8
    log: {folder}/absent.log (check log file(s) for error details)
[Fri Nov 27 20:00:00 2026]
Finished jobid: 5 (Rule: reconstruct)
"""
TRACEBACK = """\
Traceback (most recent call last):
  File "script.py", line 1, in <module>
    main()
"""


def test_each_failed_job_has_its_reason(tmp_path):
    for name, text in {
        "check": f"{TRACEBACK}brainuad.io.errors.SettingsError: give: one\n",
        "killed": "step 10 of 100\n",
        "retried": "done\n",
        "fault": f"{TRACEBACK}KeyError: 'a'\n\nAnother error occurred:\n\n"
        f"{TRACEBACK}RuntimeError: out of memory\n\nOf 8 GiB 7 are in use: see there\n",
    }.items():
        (tmp_path / f"{name}.log").write_text(text, encoding="utf-8")
    log = tmp_path / "snakemake.log"
    log.write_text(SNAKEMAKE_LOG.format(folder=tmp_path), encoding="utf-8")
    silent = "no error is in its log; it may have been killed for memory or time"
    assert why_jobs_failed(log) == [
        f"check_template: give: one ({tmp_path}/check.log)",
        f"train_model: {silent} ({tmp_path}/killed.log)",
        f"correct_bias: RuntimeError: out of memory ({tmp_path}/fault.log)",
        f"register_to_template: {silent} ({tmp_path}/absent.log)",
    ]
