"""The paper's other experiments, and segmentation under changed contrast.

1. score_timesteps                        Dice against the timestep of the reconstruction
2. reconstruct_with_partial_conditioning  the encoder sees a part of the slice
3. score_changed_contrast                 segmentation of scans whose contrast was changed
   compare_histograms                     intensities before and after reconstruction
4. score_without_postprocessing           Dice without one of the steps
5. time_reconstruction                    seconds per volume of each method
"""


rule score_timesteps:
    """Score a diffusion model with the reconstruction at one timestep."""
    input:
        slices="results/slices/{cohort}.npz",
        split=scans.split_of_cohort,
        weights=models.weights,
    output:
        scores="results/timesteps/{model}/t{timestep}/fold{fold}/{cohort}.tsv",
    log:
        "logs/score_timesteps/{model}/t{timestep}/fold{fold}/{cohort}.log",
    benchmark:
        "benchmarks/score_timesteps/{model}/t{timestep}/fold{fold}/{cohort}.tsv"
    wildcard_constraints:
        cohort=one_of(study.lesion_cohorts),
    conda:
        "../../envs/torch.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=scaled_by_attempt(8000),
        runtime=scaled_by_attempt(120),
        gpu=models.gpus,
    params:
        **compared(
            code=code_of("score_timesteps", code.model, code.residual),
            score=RESIDUAL,
            timestep=models.timestep,
            postprocessing=config["evaluation"]["postprocessing"],
            modality=scans.modality,
            seed=study.seed,
            precision=models.precision,
        ),
    script:
        "../../scripts/score_timesteps.py"


rule reconstruct_with_partial_conditioning:
    """Reconstruct healthy test subjects while the encoder sees a part of each slice."""
    input:
        slices="results/slices/{cohort}.npz",
        split=scans.split_of_cohort,
        weights=models.weights,
    output:
        reconstructions="results/conditioning/{model}/fold{fold}/{cohort}.npz",
        measures="results/conditioning/{model}/fold{fold}/{cohort}.tsv",
    log:
        "logs/reconstruct_with_partial_conditioning/{model}/fold{fold}/{cohort}.log",
    benchmark:
        "benchmarks/reconstruct_with_partial_conditioning/{model}/fold{fold}/{cohort}.tsv"
    wildcard_constraints:
        cohort=one_of(study.healthy_cohorts),
    conda:
        "../../envs/torch.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=scaled_by_attempt(8000),
        runtime=scaled_by_attempt(240),
        gpu=models.gpus,
    params:
        **compared(
            code=code_of("reconstruct_with_partial_conditioning", code.model),
            timesteps=config["experiments"]["conditioning"]["timesteps"],
            visible_fractions=config["experiments"]["conditioning"]["visible_fractions"],
            modality=scans.modality,
            seed=study.seed,
            precision=models.precision,
        ),
    script:
        "../../scripts/reconstruct_with_partial_conditioning.py"


rule score_changed_contrast:
    """Score a method on scans whose intensities x were changed to x^gamma."""
    input:
        slices="results/slices/{cohort}.npz",
        split=scans.split_of_cohort,
        weights=models.weights_of_method,
        reference=results.reference,
    output:
        scores="results/contrast/{method}/fold{fold}/{cohort}.tsv",
    log:
        "logs/score_changed_contrast/{method}/fold{fold}/{cohort}.log",
    benchmark:
        "benchmarks/score_changed_contrast/{method}/fold{fold}/{cohort}.tsv"
    wildcard_constraints:
        cohort=one_of(study.lesion_cohorts),
    conda:
        "../../envs/torch.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=scaled_by_attempt(8000),
        runtime=scaled_by_attempt(240),
        gpu=models.gpus_of_method,
    params:
        **compared(
            code=code_of("score_changed_contrast", code.model_of_method, code.score),
            score=results.score,
            timesteps=models.timesteps_of_method,
            samples=models.samples_of_method,
            gamma=config["experiments"]["contrast"]["gamma"],
            postprocessing=config["evaluation"]["postprocessing"],
            modality=scans.modality,
            seed=study.seed,
            precision=models.precision,
        ),
    script:
        "../../scripts/score_changed_contrast.py"


rule compare_histograms:
    """Compare intensities of healthy voxels before and after reconstruction, at one contrast."""
    input:
        slices="results/slices/{cohort}.npz",
        split=scans.split_of_cohort,
        weights=models.needed_weights,
    output:
        measures="results/histograms/{method}/gamma{gamma}/fold{fold}/{cohort}.tsv",
        histograms="results/histograms/{method}/gamma{gamma}/fold{fold}/{cohort}.npz",
    log:
        "logs/compare_histograms/{method}/gamma{gamma}/fold{fold}/{cohort}.log",
    benchmark:
        "benchmarks/compare_histograms/{method}/gamma{gamma}/fold{fold}/{cohort}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=scaled_by_attempt(8000),
        runtime=scaled_by_attempt(120),
        gpu=models.gpus,
    params:
        **compared(
            code=code_of("compare_histograms", code.model_of_method),
            gamma=models.gamma,
            timesteps=models.timesteps_of_method,
            samples=models.samples_of_method,
            bins=config["experiments"]["histograms"]["bins"],
            modality=scans.modality,
            seed=study.seed,
            precision=models.precision,
        ),
    script:
        "../../scripts/compare_histograms.py"


rule score_without_postprocessing:
    """Score a method without each step of post-processing in turn."""
    input:
        slices="results/slices/{cohort}.npz",
        split=scans.split_of_cohort,
        reconstructions=results.reconstructions,
        reference=results.reference,
    output:
        scores="results/postprocessing/{method}/fold{fold}/{cohort}.tsv",
    log:
        "logs/score_without_postprocessing/{method}/fold{fold}/{cohort}.log",
    benchmark:
        "benchmarks/score_without_postprocessing/{method}/fold{fold}/{cohort}.tsv"
    wildcard_constraints:
        cohort=one_of(study.lesion_cohorts),
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(240),
    params:
        **compared(
            code=code_of("score_without_postprocessing", code.score),
            score=results.score,
            postprocessing=config["evaluation"]["postprocessing"],
            modality=scans.modality,
        ),
    script:
        "../../scripts/score_without_postprocessing.py"


rule time_reconstruction:
    """Time how long each method takes for a volume, all in one job."""
    input:
        slices=models.training_slices,
        split=models.timed_split,
        weights=models.timed_weights,
    output:
        times="results/times/{modality}.tsv",
    log:
        "logs/time_reconstruction/{modality}.log",
    benchmark:
        "benchmarks/time_reconstruction/{modality}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=scaled_by_attempt(8000),
        runtime=scaled_by_attempt(60),
        gpu=models.gpus,
    params:
        **compared(
            code=code_of("time_reconstruction", code.all_models),
            methods=[method.name for method in study.reconstructing],
            models=[method.model for method in study.reconstructing],
            timesteps=models.timed_timesteps(),
            samples=[method.samples for method in study.reconstructing],
            dataset=models.timed_dataset,
            modality=of_path("modality"),
            fold=study.first_fold,
            seed=study.seed,
            precision=models.precision,
        ),
    script:
        "../../scripts/time_reconstruction.py"
