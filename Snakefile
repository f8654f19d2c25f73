"""Unsupervised anomaly detection in brain MRI with conditioned diffusion models (cDDPM).

From raw scans to the report: see README.md for what it does, config/README.md for how to fill it.
"""

import sys

from snakemake.utils import min_version

min_version("9.27")

sys.path.append(f"{workflow.basedir}/scripts")


include: "workflow/rules/check_config_files.smk"


# The paper's settings first; the working directory's own file changes what it names.
configfile: f"{workflow.basedir}/config/config.yaml"


if says_anything("config/config.yaml"):

    configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/check_config.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/inputs_of_scans.smk"
include: "workflow/rules/inputs_of_models.smk"
include: "workflow/rules/inputs_of_results.smk"
include: "workflow/rules/grids.smk"
include: "workflow/rules/inputs_of_report.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/preprocess.smk"
include: "workflow/rules/quality.smk"
include: "workflow/rules/splits.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/experiments.smk"
include: "workflow/rules/beyond.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/tables_of_experiments.smk"
include: "workflow/rules/statistics.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/figures_of_experiments.smk"
include: "workflow/rules/report.smk"


if config["phantoms"] is not None:

    include: "workflow/rules/phantoms.smk"


rule all:
    """Everything: scores, tables, figures, anomaly maps, and the page that shows them."""
    default_target: True
    input:
        CHECKED_MODELS,
        "results/report/index.html",
        all_anomaly_maps(),
    localrule: True


# One target per data set: ixi, brats21, mslub, atlas, wmh, and those of one's own.
for name in config["datasets"]:

    rule:
        name:
            name
        input:
            targets_of(name),
        localrule: True
