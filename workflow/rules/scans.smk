"""Pages of scans: each scan in its own space, with its anomaly map as an overlay.

1. write_scan_pages  the pages of a cohort, and their index
2. write_scan_index  the index of all scans
"""


localrules:
    write_scan_index,


rule write_scan_pages:
    """Show each scan of a cohort with the findings in it."""
    input:
        raw=made_by_rules(scans.raw_scans),
        subjects=ancient(scans.subjects_of_cohort),
        derivatives="results/derivatives/{cohort}",
        # These files change only with the scans, and then the derivatives change too.
        quality=ancient("results/report/quality/{cohort}"),
        measures=ancient("results/report/tables/quality_{cohort}.tsv"),
        left_out=ancient("results/slices/{cohort}_left_out.tsv"),
    output:
        pages=directory("results/report/scans/{cohort}"),
    log:
        "logs/write_scan_pages/{cohort}.log",
    benchmark:
        "benchmarks/write_scan_pages/{cohort}.tsv"
    wildcard_constraints:
        cohort=one_of(study.derived_cohorts),
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(3000),
        runtime=scaled_by_attempt(240),
    params:
        **compared(
            code=code_of("write_scan_pages", SCAN_PAGE, SCAN_INDEX_PAGE),
            raw_files=state_of_others(scans.raw_scans),
            cohort_label=register.label_of_cohort,
            method_label=study.maps_method.label,
            modality=scans.modality,
        ),
    script:
        "../../scripts/write_scan_pages.py"


rule write_scan_index:
    """List all scans that have a page, the most anomalous first."""
    input:
        **register.inputs_of_scan_index,
    output:
        html=SCAN_INDEX,
    log:
        "logs/write_scan_index/page.log",
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(15),
    params:
        **compared(
            code=code_of("write_scan_index", SCAN_INDEX_PAGE),
            cohort_labels=register.cohort_labels,
        ),
    script:
        "../../scripts/write_scan_index.py"
