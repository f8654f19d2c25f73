"""Corrupt slices of healthy brains for networks that learn to restore them."""

# ASSUME: only the foreground is corrupted, where a slice is above 0.01, as in the code of the DAE's
# authors.
FOREGROUND = 0.01
