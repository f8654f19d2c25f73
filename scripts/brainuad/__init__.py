"""The library behind the workflow's scripts: unsupervised anomaly detection in brain MRI."""

__version__ = "0.1.0"
