"""Networks that learn healthy anatomy.

1. check_models    every model of the config, before anything else
2. pretrain_spark  the encoder, by masked modelling
3. train_model     one model of one modality and fold

The last two go on from an undeclared checkpoint.pt beside their outputs when they were killed.
"""


localrules:
    check_models,


rule check_models:
    """Try out the settings of every model, without memory for its weights, and say its size."""
    input:
        code=library_of("check_models", *map(method_file, MODELS)),
    output:
        sizes=CHECKED_MODELS,
    log:
        "logs/check_models/models.log",
    # The first of all jobs. Nothing depends on it: a change of one model would make all others anew,
    # and behind an `ancient` input Snakemake forgets what else is to be made.
    priority: 100
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(15),
    params:
        models=settings_of_models(),
        pretraining=settings_of_pretraining(),
        size=slice_size(),
        timestep=last_timestep(),
    script:
        "../../scripts/check_models.py"


rule pretrain_spark:
    """Pretrain an encoder by masked modelling of the healthy training slices."""
    input:
        slices=training_slices,
        split=training_split,
        code=library_of("pretrain_spark"),
    output:
        encoder="results/pretraining/{modality}/fold{fold}/encoder.pt",
        history="results/pretraining/{modality}/fold{fold}/history.tsv",
        machines="results/pretraining/{modality}/fold{fold}/machines.tsv",
    log:
        "logs/pretrain_spark/{modality}/fold{fold}.log",
    benchmark:
        "benchmarks/pretrain_spark/{modality}/fold{fold}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=growing(8000),
        runtime=growing(720),
        gpu=gpus,
        # No param: a change of how often it is saved must not train anew.
        checkpoint_minutes=config["checkpoint_minutes"],
    params:
        settings=spark_settings,
        seed=config["seed"],
        device=device,
    script:
        "../../scripts/pretrain_spark.py"


rule train_model:
    """Train one model of one modality and fold."""
    input:
        slices=training_slices,
        split=training_split,
        pretrained=made_by_rules(pretrained_encoder),
        code=training_code,
    output:
        weights="results/models/{model}/{modality}/fold{fold}/weights.pt",
        history="results/models/{model}/{modality}/fold{fold}/history.tsv",
        machines="results/models/{model}/{modality}/fold{fold}/machines.tsv",
    log:
        "logs/train_model/{model}/{modality}/fold{fold}.log",
    benchmark:
        "benchmarks/train_model/{model}/{modality}/fold{fold}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=growing(8000),
        runtime=growing(1440),
        gpu=gpus,
        # No param: a change of how often it is saved must not train anew.
        checkpoint_minutes=config["checkpoint_minutes"],
    params:
        kind=of_model("kind"),
        settings=of_model("settings"),
        training=of_model("training"),
        pretrained=pretrained_encoder,
        pretrained_file=state_of_others(pretrained_encoder),
        seed=config["seed"],
        device=device,
    script:
        "../../scripts/train_model.py"
