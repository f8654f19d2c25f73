"""Tables, figures, and the page that shows them all.

1. make_table             a table
   draw_figure            a figure
   plot_precision_recall  a figure that reads the anomaly maps of a cohort
   plot_panel             likewise
2. write_overview         the page

The register (scripts/brainuad/plan/register/) holds all tables and figures with their inputs and
captions. Jobs that read finished scores take seconds, and are not submitted to a cluster.
"""


localrules:
    make_table,
    draw_figure,
    write_overview,


rule make_table:
    """Make a table, as numbers and as readers see it."""
    input:
        unpack(register.inputs_of_table),
    output:
        tsv="results/report/tables/{table}.tsv",
        html=report(
            "results/report/tables/{table}.html",
            caption="../report/caption.rst",
            category=register.of_table("category"),
            labels=register.of_table("labels"),
        ),
        tex="results/report/tables/{table}.tex",
    log:
        "logs/make_table/{table}.log",
    wildcard_constraints:
        table=register.pattern_of_tables(),
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(30),
    params:
        **compared(
            code=code_of("make_table", register.of_table("code")),
            other_files=register.other_files_of_table,
            state_of_others=register.state_of_table,
            module=register.of_table("module"),
            arguments=register.of_table("params"),
            title=register.of_table("title"),
            caption=register.of_table("caption"),
            labels=register.labels,
        ),
    script:
        "../../scripts/make_table.py"


rule draw_figure:
    """Draw a figure."""
    input:
        unpack(register.of_figure("inputs")),
    output:
        svg="results/report/figures/{figure}.svg",
        png=report(
            "results/report/figures/{figure}.png",
            caption="../report/caption.rst",
            category=register.of_figure("category"),
            labels=register.of_figure("labels"),
        ),
    log:
        "logs/draw_figure/{figure}.log",
    wildcard_constraints:
        figure=register.pattern_of_figures("draw_figure"),
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(30),
    params:
        **compared(
            code=code_of("draw_figure", register.of_figure("code")),
            module=register.of_figure("module"),
            arguments=register.of_figure("params"),
            caption=register.of_figure("caption"),
            labels=register.labels,
        ),
    script:
        "../../scripts/draw_figure.py"


rule plot_precision_recall:
    """Plot precision and recall over the test voxels of a cohort, with each method's threshold."""
    input:
        unpack(register.of_figure("inputs")),
    output:
        svg="results/report/figures/{figure}.svg",
        png=report(
            "results/report/figures/{figure}.png",
            caption="../report/caption.rst",
            category=register.of_figure("category"),
            labels=register.of_figure("labels"),
        ),
    log:
        "logs/plot_precision_recall/{figure}.log",
    benchmark:
        "benchmarks/plot_precision_recall/{figure}.tsv"
    wildcard_constraints:
        figure=register.pattern_of_figures("plot_precision_recall"),
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(4000),
        runtime=scaled_by_attempt(120),
    params:
        **compared(
            code=code_of("plot_precision_recall"),
            arguments=register.of_figure("params"),
            caption=register.of_figure("caption"),
            labels=register.labels,
        ),
    script:
        "../../scripts/plot_precision_recall.py"


rule plot_panel:
    """Plot slices of a cohort: scan, reconstruction, anomaly map, prediction and lesion."""
    input:
        unpack(register.of_figure("inputs")),
    output:
        svg="results/report/figures/{figure}.svg",
        png=report(
            "results/report/figures/{figure}.png",
            caption="../report/caption.rst",
            category=register.of_figure("category"),
            labels=register.of_figure("labels"),
        ),
    log:
        "logs/plot_panel/{figure}.log",
    benchmark:
        "benchmarks/plot_panel/{figure}.tsv"
    wildcard_constraints:
        figure=register.pattern_of_figures("plot_panel"),
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(4000),
        runtime=scaled_by_attempt(60),
    params:
        **compared(
            code=code_of("plot_panel"),
            arguments=register.of_figure("params"),
            caption=register.of_figure("caption"),
            labels=register.labels,
        ),
    script:
        "../../scripts/plot_panel.py"


rule write_overview:
    """Write one page with the main finding, all tables and all figures."""
    input:
        **register.inputs_of_page,
    output:
        html=report(
            "results/report/index.html",
            caption="../report/caption.rst",
            category="Overview",
            labels={"page": "all results"},
        ),
    log:
        "logs/write_overview/page.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(15),
    params:
        **compared(
            code=code_of("write_overview", *register.templates_of_page),
            title="Anomaly detection in brain MRI",
            without_model=[method.name for method in study.methods if method.model is None],
            phantoms=config["phantoms"] is not None,
            sections=register.sections,
            labels=register.labels,
            cohort_labels=register.cohort_labels,
            decisions=register.decisions,
            caption=register.page_caption,
        ),
    script:
        "../../scripts/write_overview.py"
