"""One page that shows all results, and how they were made."""


localrules:
    tabulate_run,
    write_overview,


rule tabulate_run:
    """Run times and peak memory of each rule, what trained each model, versions and seeds."""
    input:
        results=tables_and_figures(),
        machines=list(training_tables("machines").values()),
        code=library_of("tabulate_run"),
    output:
        tsv="results/report/tables/run.tsv",
        html=report(
            "results/report/tables/run.html",
            caption="../report/run.rst",
            category="Run",
            labels={"table": "run times, machines, versions, seeds"},
        ),
    log:
        "logs/tabulate_run/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        versions=package_versions(),
        seeds={"run": config["seed"]},
        benchmarks="benchmarks",
        trainings=list(training_tables("machines")),
    script:
        "../../scripts/tabulate_run.py"


rule write_overview:
    """One page with the finding, all tables and all figures."""
    input:
        segmentation=table("segmentation"),
        comparison=table("comparison"),
        contrast=table("contrast") if CONTRAST["methods"] else [],
        tables=[f"results/report/tables/{name}.html" for name in [*tables_of_report(), "run"]],
        figures=list(figures_of_report().values()),
        quality=quality_tables(),
        atlas_facts=["results/atlas/facts.tsv"] if RAW else [],
        # Their marked decisions are listed.
        sources=sorted(str(file) for file in (PROJECT / "scripts").rglob("*.py")),
        template=f"{workflow.basedir}/scripts/brainuad/report/pages/overview.html.jinja",
        page_script=f"{workflow.basedir}/scripts/brainuad/report/pages/overview.js",
    output:
        html=report(
            "results/report/index.html",
            caption="../report/pages/overview.rst",
            category="Overview",
            labels={"page": "all results"},
        ),
    log:
        "logs/write_overview/page.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        title="Anomaly detection in brain MRI",
        phantoms=PHANTOMS,
        table_names=[*tables_of_report(), "run"],
        figure_names=list(figures_of_report()),
        scans=packed_sets(),
    script:
        "../../scripts/write_overview.py"
