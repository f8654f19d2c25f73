"""Tables of the paper's other experiments, and of segmentation under changed contrast."""


localrules:
    tabulate_contrast,
    tabulate_histograms,
    tabulate_conditioning,
    tabulate_postprocessing,
    tabulate_times,


rule tabulate_contrast:
    """The main table under changed contrast."""
    input:
        scores=score_files(CONTRAST, folder="results/contrast"),
        code=library_of("tabulate_contrast"),
    output:
        tsv="results/report/tables/contrast.tsv",
        html=report(
            "results/report/tables/contrast.html",
            caption="../report/contrast.rst",
            category="Experiments",
            labels={"table": "changed contrast"},
        ),
        tex="results/report/tables/contrast.tex",
    log:
        "logs/tabulate_contrast/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        **CONTRAST,
        bootstrap=BOOTSTRAP,
    script:
        "../../scripts/tabulate_contrast.py"


rule tabulate_histograms:
    """How far the intensities of reconstructions are from those of the scans."""
    input:
        scores=files_of_scans(HISTOGRAMS, folder="results/histograms"),
        code=library_of("tabulate_histograms"),
    output:
        tsv="results/report/tables/histograms.tsv",
        html=report(
            "results/report/tables/histograms.html",
            caption="../report/histograms.rst",
            category="Experiments",
            labels={"table": "intensities"},
        ),
        tex="results/report/tables/histograms.tex",
    log:
        "logs/tabulate_histograms/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        **without_modalities(HISTOGRAMS),
        bootstrap=BOOTSTRAP,
    script:
        "../../scripts/tabulate_histograms.py"


rule tabulate_conditioning:
    """How well is painted what the encoder sees, and what it does not."""
    input:
        scores=files_of_scans(CONDITIONING, folder="results/conditioning"),
        code=library_of("tabulate_conditioning"),
    output:
        tsv="results/report/tables/conditioning.tsv",
        html=report(
            "results/report/tables/conditioning.html",
            caption="../report/conditioning.rst",
            category="Experiments",
            labels={"table": "conditioning"},
        ),
        tex="results/report/tables/conditioning.tex",
    log:
        "logs/tabulate_conditioning/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        **without_modalities(CONDITIONING),
        bootstrap=BOOTSTRAP,
    script:
        "../../scripts/tabulate_conditioning.py"


rule tabulate_postprocessing:
    """Dice without one of the steps of post-processing."""
    input:
        scores=score_files(POSTPROCESSING, folder="results/postprocessing"),
        code=library_of("tabulate_postprocessing"),
    output:
        tsv="results/report/tables/postprocessing.tsv",
        html=report(
            "results/report/tables/postprocessing.html",
            caption="../report/postprocessing.rst",
            category="Experiments",
            labels={"table": "post-processing"},
        ),
        tex="results/report/tables/postprocessing.tex",
    log:
        "logs/tabulate_postprocessing/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        **POSTPROCESSING,
        bootstrap=BOOTSTRAP,
    script:
        "../../scripts/tabulate_postprocessing.py"


rule tabulate_times:
    """Seconds per volume of each method."""
    input:
        times=expand("results/times/{modality}.tsv", modality=MODALITIES),
        code=library_of("tabulate_times"),
    output:
        tsv="results/report/tables/times.tsv",
        html=report(
            "results/report/tables/times.html",
            caption="../report/times.rst",
            category="Experiments",
            labels={"table": "times"},
        ),
        tex="results/report/tables/times.tex",
    log:
        "logs/tabulate_times/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        bootstrap=BOOTSTRAP,
    script:
        "../../scripts/tabulate_times.py"
