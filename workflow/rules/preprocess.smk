"""From raw scans to packed slices.

1. resample_scans        to RAS and one voxel size
2. strip_skull           brain mask (strip_skull_with_hdbet1 and ..2 by HD-BET)
3. register_to_template  affine
4. correct_bias          N4, cut to the brain
5. normalize_scans       to about [0, 1] and the final grid
6. pack_slices           all volumes of a cohort in one file

In stages 1 to 5 a job processes a chunk of scans, since starting a process with its imports takes
seconds. Stages 1 to 4 are done for the volumes of the authors' archive: take_preprocessed_scans
writes them as corrected scans. A scan that fails is listed in the chunk's left_out.tsv.
"""


rule resample_scans:
    """Bring the scans of a chunk to RAS and one isotropic voxel size."""
    input:
        scans=made_by_rules(scans.chunk_files),
        subjects=ancient(scans.subjects_of_cohort),
    output:
        scans=intermediate(directory("results/resampled/{cohort}/chunk{chunk}")),
    log:
        "logs/resample_scans/{cohort}/chunk{chunk}.log",
    benchmark:
        "benchmarks/resample_scans/{cohort}/chunk{chunk}.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(30),
    params:
        **compared(
            code=code_of("resample_scans", code.layout),
            raw_files=state_of_others(scans.chunk_files),
            modality=scans.modality,
            names=scans.names_in_chunk,
            layout=scans.of_cohort("layout"),
            spacing=config["preprocessing"]["spacing"],
            lesion_labels=scans.of_cohort("lesion_labels"),
            ignored_labels=scans.of_cohort("ignored_labels"),
        ),
    script:
        "../../scripts/resample_scans.py"


rule strip_skull:
    """Keep the brain: zero outside the brain mask."""
    input:
        head_template=made_by_rules(scans.head_template),
        scans="results/resampled/{cohort}/chunk{chunk}",
        subjects=ancient(scans.subjects_of_cohort),
    output:
        scans=intermediate(directory("results/stripped/{cohort}/chunk{chunk}")),
        brain_masks=directory("results/brain_masks/{cohort}/chunk{chunk}"),
    log:
        "logs/strip_skull/{cohort}/chunk{chunk}.log",
    benchmark:
        "benchmarks/strip_skull/{cohort}/chunk{chunk}.tsv"
    wildcard_constraints:
        cohort=one_of(study.stripped_by("template", "none")),
    conda:
        "../../envs/ants.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(3000),
        runtime=scaled_by_attempt(60),
    params:
        **compared(
            code=code_of("strip_skull"),
            method=scans.of_cohort("skull_stripping"),
            head_template=scans.head_template,
            head_template_files=state_of_others(scans.head_template),
            children=scans.children_of_chunk,
        ),
    script:
        "../../scripts/strip_skull.py"


rule strip_skull_with_hdbet1:
    """Keep the brain by HD-BET 1: zero outside the brain mask."""
    input:
        scans="results/resampled/{cohort}/chunk{chunk}",
        subjects=ancient(scans.subjects_of_cohort),
    output:
        scans=intermediate(directory("results/stripped/{cohort}/chunk{chunk}")),
        brain_masks=directory("results/brain_masks/{cohort}/chunk{chunk}"),
    log:
        "logs/strip_skull_with_hdbet1/{cohort}/chunk{chunk}.log",
    benchmark:
        "benchmarks/strip_skull_with_hdbet1/{cohort}/chunk{chunk}.tsv"
    wildcard_constraints:
        cohort=one_of(study.stripped_by("hdbet1")),
    conda:
        "../../envs/hdbet1.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=scaled_by_attempt(8000),
        runtime=scaled_by_attempt(240),
        gpu=models.gpus,
    params:
        **compared(
            code=code_of("strip_skull_with_hdbet1"),
            networks=config["hdbet"]["networks"],
            mirroring=config["hdbet"]["mirroring"],
            children=scans.children_of_chunk,
        ),
    script:
        "../../scripts/strip_skull_with_hdbet1.py"


rule strip_skull_with_hdbet2:
    """Keep the brain by HD-BET 2: zero outside the brain mask."""
    input:
        scans="results/resampled/{cohort}/chunk{chunk}",
        weights="resources/hdbet",
        subjects=ancient(scans.subjects_of_cohort),
    output:
        scans=intermediate(directory("results/stripped/{cohort}/chunk{chunk}")),
        brain_masks=directory("results/brain_masks/{cohort}/chunk{chunk}"),
    log:
        "logs/strip_skull_with_hdbet2/{cohort}/chunk{chunk}.log",
    benchmark:
        "benchmarks/strip_skull_with_hdbet2/{cohort}/chunk{chunk}.tsv"
    wildcard_constraints:
        cohort=one_of(study.stripped_by("hdbet2")),
    conda:
        "../../envs/hdbet2.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=scaled_by_attempt(12000),
        runtime=scaled_by_attempt(240),
        gpu=models.gpus,
    params:
        **compared(
            code=code_of("strip_skull_with_hdbet2"),
            mirroring=config["hdbet"]["mirroring"],
            children=scans.children_of_chunk,
        ),
    script:
        "../../scripts/strip_skull_with_hdbet2.py"


rule register_to_template:
    """Register the stripped scans to the template; the transforms are kept."""
    input:
        scans="results/stripped/{cohort}/chunk{chunk}",
        template="results/template/brain.nii.gz",
    output:
        scans=intermediate(directory("results/registered/{cohort}/chunk{chunk}")),
        transforms=directory("results/transforms/{cohort}/chunk{chunk}"),
    log:
        "logs/register_to_template/{cohort}/chunk{chunk}.log",
    benchmark:
        "benchmarks/register_to_template/{cohort}/chunk{chunk}.tsv"
    conda:
        "../../envs/ants.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(3000),
        runtime=scaled_by_attempt(120),
    params:
        **compared(
            code=code_of("register_to_template"),
            settings=config["preprocessing"]["registration"],
        ),
    script:
        "../../scripts/register_to_template.py"


rule correct_bias:
    """Correct the bias field, and cut to the brain."""
    input:
        scans="results/registered/{cohort}/chunk{chunk}",
    output:
        scans=directory("results/corrected/{cohort}/chunk{chunk}"),
    log:
        "logs/correct_bias/{cohort}/chunk{chunk}.log",
    benchmark:
        "benchmarks/correct_bias/{cohort}/chunk{chunk}.tsv"
    wildcard_constraints:
        cohort=one_of(study.cohorts_of(study.raw)),
    conda:
        "../../envs/ants.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(3000),
        runtime=scaled_by_attempt(60),
    params:
        **compared(
            code=code_of("correct_bias"),
            settings=config["preprocessing"]["bias_correction"],
            weighted=scans.of_cohort("weighted_bias_correction"),
            keep_last_slice=config["preprocessing"]["keep_last_slice"],
        ),
    script:
        "../../scripts/correct_bias.py"


rule take_preprocessed_scans:
    """Read the volumes of the authors' archive, which are registered and corrected already."""
    input:
        scans=made_by_rules(scans.chunk_files),
        subjects=ancient(scans.subjects_of_cohort),
    output:
        scans=directory("results/corrected/{cohort}/chunk{chunk}"),
    log:
        "logs/take_preprocessed_scans/{cohort}/chunk{chunk}.log",
    benchmark:
        "benchmarks/take_preprocessed_scans/{cohort}/chunk{chunk}.tsv"
    wildcard_constraints:
        cohort=one_of(study.cohorts_of(study.preprocessed)),
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(30),
    params:
        **compared(
            code=code_of("take_preprocessed_scans"),
            raw_files=state_of_others(scans.chunk_files),
            modality=scans.modality,
            names=scans.names_in_chunk,
            spacing=config["preprocessing"]["spacing"],
            lesion_labels=scans.of_cohort("lesion_labels"),
            ignored_labels=scans.of_cohort("ignored_labels"),
        ),
    script:
        "../../scripts/take_preprocessed_scans.py"


rule normalize_scans:
    """Smooth, crop, scale to [0, 1] inside the brain, and bring to the final grid."""
    input:
        scans="results/corrected/{cohort}/chunk{chunk}",
    output:
        scans=directory("results/normalized/{cohort}/chunk{chunk}"),
    log:
        "logs/normalize_scans/{cohort}/chunk{chunk}.log",
    benchmark:
        "benchmarks/normalize_scans/{cohort}/chunk{chunk}.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(2000),
        runtime=scaled_by_attempt(30),
    params:
        **compared(
            code=code_of("normalize_scans"),
            settings=config["preprocessing"]["normalization"],
        ),
    script:
        "../../scripts/normalize_scans.py"


rule pack_slices:
    """Pack the normalised volumes of a cohort into one file."""
    input:
        chunks=scans.folders_of_chunks("normalized"),
        subjects=ancient(scans.subjects_of_cohort),
    output:
        slices="results/slices/{cohort}.npz",
        left_out="results/slices/{cohort}_left_out.tsv",
    log:
        "logs/pack_slices/{cohort}.log",
    benchmark:
        "benchmarks/pack_slices/{cohort}.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=scaled_by_attempt(12000),
        runtime=scaled_by_attempt(30),
    params:
        **compared(
            code=code_of("pack_slices"),
            on_broken=config["on_broken_scan"],
        ),
    script:
        "../../scripts/pack_slices.py"
