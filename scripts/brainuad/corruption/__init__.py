"""How slices of healthy brains are corrupted for networks that learn to restore them."""

# ASSUME: the foreground, which alone is corrupted, is where a slice is above 0.01, as in the code
# of the DAE's authors.
FOREGROUND = 0.01
