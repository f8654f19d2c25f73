"""The labels of lesion masks from resampling on: 0 none, LESION, IGNORED (scored neither way)."""

LESION, IGNORED = 1, 2
