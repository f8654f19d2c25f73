"""Networks that learn healthy anatomy.

1. check_models    try all models of the config, before any other job
2. pretrain_spark  pretrain the encoder by masked modelling
3. train_model     train one model of one modality and fold

The last two resume from checkpoint.pt next to their outputs, which no rule declares.
"""


localrules:
    check_models,


rule check_models:
    """Try the settings of every model, without memory for its weights, and write its size."""
    output:
        sizes=CHECKED_MODELS,
    log:
        "logs/check_models/models.log",
    # The first of all jobs. No job depends on it: a change of one model would retrain all others,
    # and with an `ancient` input Snakemake omits jobs that are needed.
    priority: 100
    conda:
        "../../envs/torch.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(4000),
        runtime=scaled_by_attempt(15),
    params:
        **compared(
            code=code_of("check_models", code.all_models, code.all_scores),
            methods=models.scores_of_methods(),
            models=models.settings_of_models(),
            pretraining=models.settings_of_pretraining(),
            size=models.slice_size(),
            pretrained_files=state_of_others(models.pretrained_files),
        ),
    script:
        "../../scripts/check_models.py"


rule pretrain_spark:
    """Pretrain an encoder by masked modelling of the healthy training slices."""
    input:
        slices=models.training_slices,
        split=models.training_split,
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
        mem_mb=scaled_by_attempt(8000),
        runtime=scaled_by_attempt(720),
        gpu=models.gpus,
        # A resource, not a param: how often a checkpoint is saved must not retrain.
        checkpoint_minutes=config["checkpoint_minutes"],
    params:
        **compared(
            code=code_of("pretrain_spark"),
            settings=models.spark_settings,
            seed=study.seed,
            precision=models.precision,
        ),
    script:
        "../../scripts/pretrain_spark.py"


rule train_model:
    """Train one model of one modality and fold."""
    input:
        slices=models.training_slices,
        split=models.training_split,
        pretrained=made_by_rules(models.pretrained_encoder),
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
        mem_mb=scaled_by_attempt(8000),
        runtime=scaled_by_attempt(1440),
        gpu=models.gpus,
        # A resource, not a param: how often a checkpoint is saved must not retrain.
        checkpoint_minutes=config["checkpoint_minutes"],
    params:
        **compared(
            code=code_of("train_model", code.model),
            kind=models.of_model("kind"),
            settings=models.of_model("settings"),
            training=models.of_model("training"),
            pretrained=models.pretrained_encoder,
            pretrained_file=state_of_others(models.pretrained_encoder),
            seed=study.seed,
            precision=models.precision,
        ),
    script:
        "../../scripts/train_model.py"
