"""Synthetic raw scans in the data sets' layouts, made from the ICBM152 template in nilearn."""
