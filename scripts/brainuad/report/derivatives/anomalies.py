"""The list of the scans of a data set of derivatives."""

# Its file, and what it says of each scan.
ANOMALIES = "anomalies.tsv"
SCAN_COLUMNS = (
    *("scan", "subject", "session", "name", "partition", "volume_ml", "candidates", "maximum"),
    *("mean_residual", "percentile", "healthy_scans"),
)
