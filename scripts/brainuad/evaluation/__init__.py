"""From anomaly maps to numbers: thresholds, metrics and statistics."""
