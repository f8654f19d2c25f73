"""The measures and columns of the times that methods take to reconstruct a volume."""

SECONDS = "seconds_per_volume"
RATIO_TO = "ratio_to_"
COLUMNS = ["method", "fold", "dataset", "modality", "round", "metric", "value"]


def ratio_to(reference: str) -> str:
    """The metric of how many times as long as the reference a method takes."""
    return f"{RATIO_TO}{reference}"


def reference_of(metric: str) -> str:
    """The method that a metric is the ratio to; "" for another metric."""
    return metric.removeprefix(RATIO_TO) if metric.startswith(RATIO_TO) else ""
