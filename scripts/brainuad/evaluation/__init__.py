"""From reconstructions to numbers: anomaly maps, thresholds, scores and statistics."""
