"""What the numbers are held against: one method against the others, and all against the paper.

1. tabulate_comparison    one method against each other row of the tables
2. tabulate_beside_paper  our means beside the paper's
   tabulate_claims        what the paper claims, and whether it holds here
3. tabulate_beside_run    our means beside those of another run of this workflow

All read finished scores or tables. The paper is not looked at where the scans are phantoms, and
another run only where the config names one.
"""


localrules:
    tabulate_comparison,
    tabulate_beside_paper,
    tabulate_claims,
    tabulate_beside_run,


rule tabulate_comparison:
    """One method against each other, with intervals and paired tests."""
    input:
        scores=score_files(SEGMENTATION),
        code=library_of("tabulate_comparison"),
    output:
        tsv="results/report/tables/comparison.tsv",
        html=report(
            "results/report/tables/comparison.html",
            caption="../report/comparison.rst",
            category="Tables",
            labels={"table": "one method against the others"},
        ),
        tex="results/report/tables/comparison.tex",
    log:
        "logs/tabulate_comparison/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        **SEGMENTATION,
        **config["evaluation"]["comparison"],
        bootstrap=BOOTSTRAP,
    script:
        "../../scripts/tabulate_comparison.py"


rule tabulate_beside_paper:
    """Segmentation and reconstruction beside the paper's numbers."""
    input:
        ours=[table("segmentation"), table("reconstruction")],
        printed=[f"{PAPER}/segmentation.tsv", f"{PAPER}/reconstruction.tsv"],
        rerun=f"{PAPER}/independent_rerun.tsv",
        code=library_of("tabulate_beside_paper"),
    output:
        tsv="results/report/tables/beside_paper.tsv",
        html=report(
            "results/report/tables/beside_paper.html",
            caption="../report/beside_paper.rst",
            category="Paper",
            labels={"table": "beside the paper"},
        ),
        tex="results/report/tables/beside_paper.tex",
    log:
        "logs/tabulate_beside_paper/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    script:
        "../../scripts/tabulate_beside_paper.py"


rule tabulate_claims:
    """Each claim of the paper: its number, ours and the verdict."""
    input:
        # Of a number in several of them the first counts.
        ours=claimed_tables(),
        claims=f"{PAPER}/claims.tsv",
        code=library_of("tabulate_claims"),
    output:
        tsv="results/report/tables/claims.tsv",
        html=report(
            "results/report/tables/claims.html",
            caption="../report/claims.rst",
            category="Paper",
            labels={"table": "claims"},
        ),
        tex="results/report/tables/claims.tex",
    log:
        "logs/tabulate_claims/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    script:
        "../../scripts/tabulate_claims.py"


rule tabulate_beside_run:
    """Segmentation and reconstruction beside those of another run of this workflow."""
    input:
        ours=[table("segmentation"), table("reconstruction")],
        code=library_of("tabulate_beside_run"),
    output:
        tsv="results/report/tables/beside_run.tsv",
        html=report(
            "results/report/tables/beside_run.html",
            caption="../report/beside_run.rst",
            category="Tables",
            labels={"table": "beside another run"},
        ),
        tex="results/report/tables/beside_run.tex",
    log:
        "logs/tabulate_beside_run/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        name=name_of_other_run,
        others=tables_of_other_run,
        other_files=state_of_others(tables_of_other_run),
    script:
        "../../scripts/tabulate_beside_run.py"
