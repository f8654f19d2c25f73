"""Figures of the paper's other experiments."""


localrules:
    plot_timesteps,
    plot_histograms,
    plot_conditioning,
    plot_times,


rule plot_timesteps:
    """Dice against the timestep of a reconstruction."""
    input:
        scores=score_files(TIMESTEPS, folder="results/timesteps"),
        code=library_of("plot_timesteps"),
    output:
        svg="results/report/figures/timesteps.svg",
        png=report(
            "results/report/figures/timesteps.png",
            caption="../report/timesteps.rst",
            category="Experiments",
            labels={"figure": "Dice against timestep"},
        ),
    log:
        "logs/plot_timesteps/figure.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        **TIMESTEPS,
    script:
        "../../scripts/plot_timesteps.py"


rule plot_histograms:
    """Intensities before and after reconstruction, at several contrasts."""
    input:
        histograms=first_fold_of_scans(HISTOGRAMS, folder="results/histograms"),
        code=library_of("plot_histograms"),
    output:
        svg="results/report/figures/histograms_{dataset}_{modality}.svg",
        png=report(
            "results/report/figures/histograms_{dataset}_{modality}.png",
            caption="../report/histograms_figure.rst",
            category="Experiments",
            labels={"intensities": "{dataset} {modality}"},
        ),
    log:
        "logs/plot_histograms/{dataset}_{modality}.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        methods=EXPERIMENTS["histograms"]["methods"],
        dataset="{dataset}",
        modality="{modality}",
    script:
        "../../scripts/plot_histograms.py"


rule plot_conditioning:
    """Reconstructions of which the encoder saw a part."""
    input:
        reconstructions=first_fold_of_scans(CONDITIONING, folder="results/conditioning"),
        code=library_of("plot_conditioning"),
    output:
        svg="results/report/figures/conditioning_{dataset}_{modality}.svg",
        png=report(
            "results/report/figures/conditioning_{dataset}_{modality}.png",
            caption="../report/conditioning_figure.rst",
            category="Experiments",
            labels={"conditioning": "{dataset} {modality}"},
        ),
    log:
        "logs/plot_conditioning/{dataset}_{modality}.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        methods=EXPERIMENTS["conditioning"]["methods"],
        dataset="{dataset}",
        modality="{modality}",
    script:
        "../../scripts/plot_conditioning.py"


rule plot_times:
    """Seconds per volume of each method."""
    input:
        table="results/report/tables/times.tsv",
        code=library_of("plot_times"),
    output:
        svg="results/report/figures/times.svg",
        png=report(
            "results/report/figures/times.png",
            caption="../report/times_figure.rst",
            category="Experiments",
            labels={"figure": "times"},
        ),
    log:
        "logs/plot_times/figure.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    script:
        "../../scripts/plot_times.py"
