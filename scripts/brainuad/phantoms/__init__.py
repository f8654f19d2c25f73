"""Synthetic raw scans of the five data sets, made from the ICBM152 template inside nilearn."""
