"""The measures and columns of the times that methods take to reconstruct a volume."""

SECONDS, RATIO = "seconds_per_volume", "ratio_to_ddpm"
COLUMNS = ["method", "fold", "dataset", "modality", "round", "metric", "value"]
