"""The labels of lesion masks after resampling: 0 no lesion, LESION, and IGNORED (not scored)."""

LESION, IGNORED = 1, 2
