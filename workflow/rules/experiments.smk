"""The paper's other experiments, and segmentation under changed contrast.

1. score_timesteps                 Dice against the one timestep of a reconstruction
2. reconstruct_with_cut_condition  the encoder sees a part of the slice
3. score_changed_contrast          segmentation of scans whose contrast was changed
   compare_histograms              intensities before and after reconstruction
4. score_without_postprocessing    Dice without one of the steps
5. time_reconstruction             seconds per volume of each method
"""


rule score_timesteps:
    """Score a diffusion model at one timestep after another."""
    input:
        slices=slices_of_dataset,
        split="results/splits/{dataset}/fold{fold}.tsv",
        weights=weights_of_method,
        code=code_of_method("score_timesteps"),
    output:
        scores="results/timesteps/{method}/fold{fold}/{dataset}.tsv",
    log:
        "logs/score_timesteps/{method}/fold{fold}/{dataset}.log",
    benchmark:
        "benchmarks/score_timesteps/{method}/fold{fold}/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(LESION),
    conda:
        "../../envs/torch.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=growing(8000),
        runtime=growing(480),
        gpu=gpus,
    params:
        timesteps=EXPERIMENTS["timesteps"]["timesteps"],
        postprocessing=config["evaluation"]["postprocessing"],
        modality=method_modality,
        seed=config["seed"],
        device=device,
    script:
        "../../scripts/score_timesteps.py"


rule reconstruct_with_cut_condition:
    """Reconstruct healthy test subjects of whom the encoder sees a part."""
    input:
        slices="results/slices/{dataset}_{modality}.npz",
        split="results/splits/{dataset}/fold{fold}.tsv",
        weights=weights_of_method,
        code=code_of_method("reconstruct_with_cut_condition"),
    output:
        reconstructions="results/conditioning/{method}/{modality}/fold{fold}/{dataset}.npz",
        measures="results/conditioning/{method}/{modality}/fold{fold}/{dataset}.tsv",
    log:
        "logs/reconstruct_with_cut_condition/{method}/{modality}/fold{fold}/{dataset}.log",
    benchmark:
        "benchmarks/reconstruct_with_cut_condition/{method}/{modality}/fold{fold}/{dataset}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=growing(8000),
        runtime=growing(240),
        gpu=gpus,
    params:
        timesteps=EXPERIMENTS["conditioning"]["timesteps"],
        shares=EXPERIMENTS["conditioning"]["shares"],
        modality=method_modality,
        seed=config["seed"],
        device=device,
    script:
        "../../scripts/reconstruct_with_cut_condition.py"


rule score_changed_contrast:
    """Score a method on scans whose intensities x were changed to x^gamma."""
    input:
        slices=slices_of_dataset,
        split="results/splits/{dataset}/fold{fold}.tsv",
        weights=weights_of_method,
        code=code_of_method("score_changed_contrast"),
    output:
        scores="results/contrast/{method}/fold{fold}/{dataset}.tsv",
    log:
        "logs/score_changed_contrast/{method}/fold{fold}/{dataset}.log",
    benchmark:
        "benchmarks/score_changed_contrast/{method}/fold{fold}/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(LESION),
    conda:
        "../../envs/torch.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=growing(8000),
        runtime=growing(240),
        gpu=gpus,
    params:
        timesteps=timesteps_of_method,
        gamma=EXPERIMENTS["contrast"]["gamma"],
        postprocessing=config["evaluation"]["postprocessing"],
        modality=method_modality,
        seed=config["seed"],
        device=device,
    script:
        "../../scripts/score_changed_contrast.py"


rule compare_histograms:
    """Compare the intensities of healthy voxels before and after reconstruction, at several contrasts."""
    input:
        slices="results/slices/{dataset}_{modality}.npz",
        split="results/splits/{dataset}/fold{fold}.tsv",
        weights=weights_of_method,
        code=code_of_method("compare_histograms"),
    output:
        measures="results/histograms/{method}/{modality}/fold{fold}/{dataset}.tsv",
        histograms="results/histograms/{method}/{modality}/fold{fold}/{dataset}.npz",
    log:
        "logs/compare_histograms/{method}/{modality}/fold{fold}/{dataset}.log",
    benchmark:
        "benchmarks/compare_histograms/{method}/{modality}/fold{fold}/{dataset}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=growing(8000),
        runtime=growing(480),
        gpu=gpus,
    params:
        timesteps=timesteps_of_method,
        gammas=EXPERIMENTS["histograms"]["gammas"],
        bins=EXPERIMENTS["histograms"]["bins"],
        modality=method_modality,
        seed=config["seed"],
        device=device,
    script:
        "../../scripts/compare_histograms.py"


rule score_without_postprocessing:
    """Score a method without one after another of the steps of post-processing."""
    input:
        slices=slices_of_dataset,
        split="results/splits/{dataset}/fold{fold}.tsv",
        reconstructions=reconstructions_of_dataset,
        code=library_of("score_without_postprocessing"),
    output:
        scores="results/postprocessing/{method}/fold{fold}/{dataset}.tsv",
    log:
        "logs/score_without_postprocessing/{method}/fold{fold}/{dataset}.log",
    benchmark:
        "benchmarks/score_without_postprocessing/{method}/fold{fold}/{dataset}.tsv"
    wildcard_constraints:
        dataset=one_of(LESION),
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(240),
    params:
        postprocessing=config["evaluation"]["postprocessing"],
        modality=method_modality,
    script:
        "../../scripts/score_without_postprocessing.py"


rule time_reconstruction:
    """Time how long each method takes for a volume, all in one job."""
    input:
        slices=timed_slices,
        split=timed_split,
        weights=timed_weights,
        code=timed_code(),
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
        mem_mb=growing(8000),
        runtime=growing(60),
        gpu=gpus,
    params:
        methods=painting_methods(),
        timesteps=[timesteps_of(method) for method in painting_methods()],
        dataset=timed_dataset,
        modality="{modality}",
        fold=FOLDS[0],
        seed=config["seed"],
        device=device,
    script:
        "../../scripts/time_reconstruction.py"
