"""Unsupervised anomaly detection in brain MRI with conditioned diffusion models (cDDPM).

From raw scans to the report: see README.md for what it does, config/README.md for how to fill it.
"""


include: "workflow/Snakefile"


# An included file names no target of its own.
workflow.default_target = "all"
