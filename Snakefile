"""Unsupervised anomaly detection in brain MRI with conditioned diffusion models (cDDPM).

From raw scans to the report: see README.md for what it does, config/README.md for how to fill it.
"""

from snakemake.utils import min_version

min_version("9.27")


# The paper's settings first; the working directory's own file changes what it names.
configfile: f"{workflow.basedir}/config/config.yaml"
configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/preprocess.smk"
include: "workflow/rules/splits.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/experiments.smk"
include: "workflow/rules/report.smk"


if config["phantoms"] is not None:

    include: "workflow/rules/phantoms.smk"


if config["atlas"]["archive"] is not None:

    include: "workflow/rules/resources.smk"


localrules:
    all,
    ixi,
    brats21,
    mslub,
    atlas,
    wmh,


rule all:
    """Everything: scores, tables, figures, anomaly maps, and the page that shows them."""
    default_target: True
    input:
        "results/report/index.html",
        all_anomaly_maps(),


rule ixi:
    """Reconstruction of healthy scans alone."""
    input:
        targets_of("ixi"),


rule brats21:
    """Tumours in T2 scans alone."""
    input:
        targets_of("brats21"),


rule mslub:
    """Multiple-sclerosis lesions in T2 scans alone."""
    input:
        targets_of("mslub"),


rule atlas:
    """Stroke lesions in T1 scans alone."""
    input:
        targets_of("atlas"),


rule wmh:
    """White-matter hyperintensities in T1 scans alone."""
    input:
        targets_of("wmh"),
