"""The measures and columns of the times that methods take to reconstruct a volume."""

SECONDS = "seconds_per_volume"
RATIO_TO = "ratio_to_"
COLUMNS = ["method", "fold", "dataset", "modality", "round", "metric", "value"]


def ratio_to(reference: str) -> str:
    """The metric with the ratio of a method's time to that of the reference."""
    return f"{RATIO_TO}{reference}"


def reference_of(metric: str) -> str:
    """The reference of a metric that is such a ratio; "" for another metric."""
    return metric.removeprefix(RATIO_TO) if metric.startswith(RATIO_TO) else ""
