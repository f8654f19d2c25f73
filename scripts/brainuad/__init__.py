"""The library behind the workflow's scripts: unsupervised anomaly detection in brain MRI."""
