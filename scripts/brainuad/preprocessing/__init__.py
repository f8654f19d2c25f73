"""Preprocessing from raw scans to normalized volumes, and its quality."""
