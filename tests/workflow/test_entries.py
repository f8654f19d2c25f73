"""The same workflow by both entries, and as a module of another one."""

import yaml

from conftest import PROJECT, demo_config, make_working_directory

MODULE = """
configfile: "config/own.yaml"


module brainuad:
    snakefile:
        "{snakefile}"
    config:
        config["brainuad"]


use rule * from brainuad as brainuad_*


rule own:
    input:
        "results/splits/ixi/fold0.tsv",
    output:
        "own.txt",
    shell:
        "cp {{input}} {{output}}"
"""


def planned(done) -> set[str]:
    """The rules and numbers of jobs that a dry run prints."""
    words = [line.split() for line in done.stdout.splitlines()]
    return {" ".join(pair) for pair in words if len(pair) == 2 and pair[1].isdigit()}


def test_both_entries_plan_the_same(tmp_path, snakemake):
    directory = make_working_directory(tmp_path / "study", demo_config())
    one = snakemake(directory, "--dry-run")
    other = snakemake(directory, "--dry-run", "--snakefile", str(PROJECT / "workflow/Snakefile"))
    assert planned(one) == planned(other)
    assert "train_model 10" in planned(one)


def test_workflow_is_a_module_of_another(tmp_path, snakemake):
    directory = make_working_directory(tmp_path / "study", {})
    (directory / "config" / "config.yaml").unlink()
    values = {"brainuad": demo_config()}
    (directory / "config" / "own.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    snakefile = directory / "Snakefile"
    text = MODULE.format(snakefile=PROJECT / "workflow" / "Snakefile")
    snakefile.write_text(text, encoding="utf-8")
    done = snakemake(directory, "--dry-run", "--snakefile", str(snakefile), "own.txt")
    assert "brainuad_split_folds" in done.stdout
    snakemake(directory, "--snakefile", str(snakefile), "--use-conda", "own.txt")
    assert (directory / "own.txt").read_text(encoding="utf-8").startswith("subject\t")
