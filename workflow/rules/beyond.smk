"""What reviewers ask for beside the paper's numbers.

1. score_thresholds            each patient of the test at the thresholds of all data sets
   score_false_positives       healthy test subjects too; and the threshold that healthy voxels give
2. tabulate_subgroups          results by lesion volume, age, sex and site
   tabulate_detection          patients told from healthy subjects
   tabulate_false_positives    what is called anomalous in healthy brains
   tabulate_calibration        how much the threshold decides
   plot_calibration            the same as a picture
"""


localrules:
    tabulate_subgroups,
    tabulate_detection,
    tabulate_false_positives,
    tabulate_calibration,
    plot_calibration,


rule score_thresholds:
    """Score the test patients at the thresholds of all data sets of their modality."""
    input:
        slices="results/slices/{dataset}_{modality}.npz",
        split="results/splits/{dataset}/fold{fold}.tsv",
        reconstructions="results/reconstructions/{method}/{modality}/fold{fold}/{dataset}.npz",
        thresholds=thresholds_of_modality,
        code=library_of("score_thresholds"),
    output:
        scores="results/threshold_scores/{method}/{modality}/fold{fold}/{dataset}.tsv",
    log:
        "logs/score_thresholds/{method}/{modality}/fold{fold}/{dataset}.log",
    benchmark:
        "benchmarks/score_thresholds/{method}/{modality}/fold{fold}/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(LESION),
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        fitted_on=lesion_sets_of_modality,
        modality="{modality}",
        postprocessing=config["evaluation"]["postprocessing"],
    script:
        "../../scripts/score_thresholds.py"


rule score_false_positives:
    """Measure what is called anomalous in healthy brains, and what their voxels give as threshold."""
    input:
        slices="results/slices/{dataset}_{modality}.npz",
        split="results/splits/{dataset}/fold{fold}.tsv",
        reconstructions="results/reconstructions/{method}/{modality}/fold{fold}/{dataset}.npz",
        thresholds=thresholds_of_modality,
        code=library_of("score_false_positives"),
    output:
        scores="results/threshold_scores/{method}/{modality}/fold{fold}/{dataset}.tsv",
        threshold="results/healthy_thresholds/{method}/{modality}/fold{fold}/{dataset}.json",
    log:
        "logs/score_false_positives/{method}/{modality}/fold{fold}/{dataset}.log",
    benchmark:
        "benchmarks/score_false_positives/{method}/{modality}/fold{fold}/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(HEALTHY),
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        fitted_on=lesion_sets_of_modality,
        postprocessing=config["evaluation"]["postprocessing"],
    script:
        "../../scripts/score_false_positives.py"


rule tabulate_subgroups:
    """Dice and AUPRC by lesion volume, age, sex and site."""
    input:
        scores=score_files(SEGMENTATION),
        subjects=expand("results/subjects/{dataset}.tsv", dataset=LESION),
        code=library_of("tabulate_subgroups"),
    output:
        tsv="results/report/tables/subgroups.tsv",
        html=report(
            "results/report/tables/subgroups.html",
            caption="../report/subgroups.rst",
            category="Beyond the paper",
            labels={"table": "subgroups"},
        ),
        tex="results/report/tables/subgroups.tex",
    log:
        "logs/tabulate_subgroups/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        **SEGMENTATION,
        subject_datasets=LESION,
        bootstrap=BOOTSTRAP,
    script:
        "../../scripts/tabulate_subgroups.py"


rule tabulate_detection:
    """How well patients are told from healthy subjects by their mean residual."""
    input:
        scores=score_files(RECONSTRUCTION),
        code=library_of("tabulate_detection"),
    output:
        tsv="results/report/tables/detection.tsv",
        html=report(
            "results/report/tables/detection.html",
            caption="../report/detection.rst",
            category="Beyond the paper",
            labels={"table": "scan-level detection"},
        ),
        tex="results/report/tables/detection.tex",
    log:
        "logs/tabulate_detection/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        **RECONSTRUCTION,
        healthy=HEALTHY,
        bootstrap=BOOTSTRAP,
    script:
        "../../scripts/tabulate_detection.py"


rule tabulate_false_positives:
    """What is called anomalous in healthy brains."""
    input:
        scores=files_of_scans(HEALTHY_THRESHOLDS, folder="results/threshold_scores"),
        code=library_of("tabulate_false_positives"),
    output:
        tsv="results/report/tables/false_positives.tsv",
        html=report(
            "results/report/tables/false_positives.html",
            caption="../report/false_positives.rst",
            category="Beyond the paper",
            labels={"table": "false positives"},
        ),
        tex="results/report/tables/false_positives.tex",
    log:
        "logs/tabulate_false_positives/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        **without_modalities(HEALTHY_THRESHOLDS),
        bootstrap=BOOTSTRAP,
    script:
        "../../scripts/tabulate_false_positives.py"


rule tabulate_calibration:
    """Dice at the thresholds of other data sets, and at the best possible one."""
    input:
        scores=files_of_scans(LESION_THRESHOLDS, folder="results/threshold_scores"),
        code=library_of("tabulate_calibration"),
    output:
        tsv="results/report/tables/calibration.tsv",
        html=report(
            "results/report/tables/calibration.html",
            caption="../report/calibration.rst",
            category="Beyond the paper",
            labels={"table": "calibration"},
        ),
        tex="results/report/tables/calibration.tex",
    log:
        "logs/tabulate_calibration/table.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        **without_modalities(LESION_THRESHOLDS),
        bootstrap=BOOTSTRAP,
    script:
        "../../scripts/tabulate_calibration.py"


rule plot_calibration:
    """Dice at the thresholds of other data sets."""
    input:
        table="results/report/tables/calibration.tsv",
        code=library_of("plot_calibration"),
    output:
        svg="results/report/figures/calibration.svg",
        png=report(
            "results/report/figures/calibration.png",
            caption="../report/calibration_figure.rst",
            category="Beyond the paper",
            labels={"figure": "calibration"},
        ),
    log:
        "logs/plot_calibration/figure.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    script:
        "../../scripts/plot_calibration.py"
