"""From raw scans to packed slices.

1. list_subjects      which scans there are, and which of them can be used
2. leave_out_copies   those that another data set has too
3. resample_scans     RAS, one voxel size
4. strip_skull        brain mask (strip_skull_with_hdbet by HD-BET)
5. register_to_atlas  affine to the atlas
6. correct_bias       N4, cut to the brain
7. normalize_scans    about [0, 1], the final grid
8. pack_slices        all volumes of a data set and modality in one file

Stages 3 to 7 work on batches of scans: one process start, with its imports, serves many scans.
The volumes of the authors' archive have most of this behind them: take_preprocessed_scans puts them
in the place of the corrected ones. A scan that fails in a stage is written to the batch's left_out.tsv; the others go on.
"""


localrules:
    leave_out_copies,


rule list_subjects:
    """Find the scans of a data set in its raw layout, and check each."""
    input:
        raw=made_by_rules(listed_root),
        code=with_layout_code("list_subjects"),
    output:
        subjects="results/listed/{dataset}.tsv",
        remarks="results/subjects/remarks/{dataset}.tsv",
    log:
        "logs/list_subjects/{dataset}.log",
    benchmark:
        "benchmarks/list_subjects/{dataset}.tsv"
    # Before all else: what there is to do is known only then. Of one thread, since a job of two would
    # wait until two long trainings end at the same time.
    priority: 50
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        raw_files=raw_files,
        root=listed_folder,
        downloads=of_dataset("root"),
        layout=of_dataset("layout"),
        modalities=of_dataset("modalities"),
        lesions=has_lesion_masks,
        lesion_labels=of_dataset("lesion_labels"),
        ignored_labels=of_dataset("ignored_labels"),
        exclude=of_dataset("exclude"),
        files=of_dataset("files"),
        table=of_dataset("table"),
        part=of_dataset("part"),
        demographics=of_dataset("demographics"),
        on_broken=config["on_broken_scan"],
    script:
        "../../scripts/list_subjects.py"


checkpoint leave_out_copies:
    """Leave out the subjects whose scan a data set that comes before has too."""
    input:
        listed=listed_table,
        earlier=tables_before,
        code=library_of("leave_out_copies"),
    output:
        subjects="results/subjects/{dataset}.tsv",
    log:
        "logs/leave_out_copies/{dataset}.log",
    priority: 50
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        healthy=HEALTHY,
    script:
        "../../scripts/leave_out_copies.py"


rule resample_scans:
    """Bring the scans of a batch to RAS and one isotropic voxel size."""
    input:
        scans=made_by_rules(batch_files),
        subjects=ancient("results/subjects/{dataset}.tsv"),
        code=with_layout_code("resample_scans"),
    output:
        scans=directory("results/resampled/{dataset}/{modality}/batch{batch}"),
    log:
        "logs/resample_scans/{dataset}/{modality}/batch{batch}.log",
    benchmark:
        "benchmarks/resample_scans/{dataset}/{modality}/batch{batch}.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        raw_files=state_of_others(batch_files),
        batch=batch_subjects,
        layout=of_dataset("layout"),
        spacing=config["preprocessing"]["spacing"],
        lesion_labels=of_dataset("lesion_labels"),
        ignored_labels=of_dataset("ignored_labels"),
    script:
        "../../scripts/resample_scans.py"


rule strip_skull:
    """Keep the brain: zero outside the brain mask."""
    input:
        template=made_by_rules(head_template),
        scans="results/resampled/{dataset}/{modality}/batch{batch}",
        subjects=ancient("results/subjects/{dataset}.tsv"),
        code=library_of("strip_skull"),
    output:
        scans=directory("results/stripped/{dataset}/{modality}/batch{batch}"),
    log:
        "logs/strip_skull/{dataset}/{modality}/batch{batch}.log",
    benchmark:
        "benchmarks/strip_skull/{dataset}/{modality}/batch{batch}.tsv"
    wildcard_constraints:
        dataset=one_of([name for name in RAW if name not in HDBET]),
    conda:
        "../../envs/ants.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(60),
    params:
        method=of_dataset("skull_stripping"),
        template=head_template,
        template_files=state_of_others(head_template),
        children=children_of_batch,
    script:
        "../../scripts/strip_skull.py"


rule strip_skull_with_hdbet:
    """Keep the brain that HD-BET finds: zero outside the brain mask."""
    input:
        scans="results/resampled/{dataset}/{modality}/batch{batch}",
        weights="resources/hdbet",
        subjects=ancient("results/subjects/{dataset}.tsv"),
        code=library_of("strip_skull_with_hdbet"),
    output:
        scans=directory("results/stripped/{dataset}/{modality}/batch{batch}"),
    log:
        "logs/strip_skull_with_hdbet/{dataset}/{modality}/batch{batch}.log",
    benchmark:
        "benchmarks/strip_skull_with_hdbet/{dataset}/{modality}/batch{batch}.tsv"
    wildcard_constraints:
        dataset=one_of(HDBET),
    conda:
        "../../envs/hdbet.yaml"
    threads: config["threads_per_training"]
    resources:
        mem_mb=growing(12000),
        runtime=growing(240),
        gpu=gpu_for_stripping,
    params:
        # HD-BET has a precision of its own, and is not compiled.
        device={**DEVICE, "precision": "fp32", "compile": False},
        test_time_augmentation=config["hdbet"]["test_time_augmentation"],
        children=children_of_batch,
    script:
        "../../scripts/strip_skull_with_hdbet.py"


rule register_to_atlas:
    """Register the stripped scans to the atlas; the transforms are kept."""
    input:
        scans="results/stripped/{dataset}/{modality}/batch{batch}",
        atlas="results/atlas/brain.nii.gz",
        code=library_of("register_to_atlas"),
    output:
        scans=directory("results/registered/{dataset}/{modality}/batch{batch}"),
    log:
        "logs/register_to_atlas/{dataset}/{modality}/batch{batch}.log",
    benchmark:
        "benchmarks/register_to_atlas/{dataset}/{modality}/batch{batch}.tsv"
    conda:
        "../../envs/ants.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(120),
    params:
        settings=config["preprocessing"]["registration"],
    script:
        "../../scripts/register_to_atlas.py"


rule correct_bias:
    """Correct the bias field, and cut to the brain."""
    input:
        scans="results/registered/{dataset}/{modality}/batch{batch}",
        code=library_of("correct_bias"),
    output:
        scans=directory("results/corrected/{dataset}/{modality}/batch{batch}"),
    log:
        "logs/correct_bias/{dataset}/{modality}/batch{batch}.log",
    benchmark:
        "benchmarks/correct_bias/{dataset}/{modality}/batch{batch}.tsv"
    wildcard_constraints:
        dataset=one_of(RAW),
    conda:
        "../../envs/ants.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(60),
    params:
        settings=config["preprocessing"]["bias_correction"],
        weighted=of_dataset("weighted_bias_correction"),
        keep_last_slice=config["preprocessing"]["keep_last_slice"],
    script:
        "../../scripts/correct_bias.py"


rule take_preprocessed_scans:
    """Take up the volumes of the authors' archive, which are registered and corrected."""
    input:
        scans=made_by_rules(batch_files),
        subjects=ancient("results/subjects/{dataset}.tsv"),
        code=library_of("take_preprocessed_scans"),
    output:
        scans=directory("results/corrected/{dataset}/{modality}/batch{batch}"),
    log:
        "logs/take_preprocessed_scans/{dataset}/{modality}/batch{batch}.log",
    benchmark:
        "benchmarks/take_preprocessed_scans/{dataset}/{modality}/batch{batch}.tsv"
    wildcard_constraints:
        dataset=one_of(PREPROCESSED),
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        raw_files=state_of_others(batch_files),
        batch=batch_subjects,
        spacing=config["preprocessing"]["spacing"],
        lesion_labels=of_dataset("lesion_labels"),
        ignored_labels=of_dataset("ignored_labels"),
    script:
        "../../scripts/take_preprocessed_scans.py"


rule normalize_scans:
    """Smooth, crop, scale to [0, 1] inside the brain, and bring to the final grid."""
    input:
        scans="results/corrected/{dataset}/{modality}/batch{batch}",
        code=library_of("normalize_scans"),
    output:
        scans=directory("results/normalized/{dataset}/{modality}/batch{batch}"),
    log:
        "logs/normalize_scans/{dataset}/{modality}/batch{batch}.log",
    benchmark:
        "benchmarks/normalize_scans/{dataset}/{modality}/batch{batch}.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        settings=config["preprocessing"]["normalization"],
    script:
        "../../scripts/normalize_scans.py"


rule pack_slices:
    """Pack the normalised volumes of a data set and modality into one file."""
    input:
        batches=batch_folders("normalized"),
        code=library_of("pack_slices"),
    output:
        slices="results/slices/{dataset}_{modality}.npz",
        left_out="results/slices/{dataset}_{modality}_left_out.tsv",
    log:
        "logs/pack_slices/{dataset}_{modality}.log",
    benchmark:
        "benchmarks/pack_slices/{dataset}_{modality}.tsv"
    conda:
        "../../envs/core.yaml"
    threads: 1
    resources:
        mem_mb=growing(12000),
        runtime=growing(30),
    params:
        on_broken=config["on_broken_scan"],
    script:
        "../../scripts/pack_slices.py"
