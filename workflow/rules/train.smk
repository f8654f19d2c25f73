"""Networks that learn healthy anatomy.

1. pretrain_spark  the encoder, by masked modelling
2. train_model     one model of one modality and fold

Both go on from an undeclared checkpoint.pt beside their outputs when they were killed.
"""


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
        pretrained=pretrained_encoder,
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
        seed=config["seed"],
        device=device,
    script:
        "../../scripts/train_model.py"
