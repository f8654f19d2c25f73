"""From wildcards to files and values of scans: raw, and on their way through the stages."""

import csv
import hashlib
import io
from contextlib import suppress


@cache
def raw_files_state(root):
    """A digest of the names, sizes and times of the files below a folder.

    Snakemake sees only the time of the folder itself, and would miss a scan that was mended.
    """
    digest = hashlib.sha256()
    for path in sorted(Path(root).rglob("*.*")):
        digest.update(f"{path} {file_state(path)}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def file_state(path):
    """Size and time of a file; of a broken link or an unreadable place, as far as can be seen."""
    for look in (path.stat, path.lstat):
        with suppress(OSError):
            status = look()
            return f"{status.st_size} {status.st_mtime_ns}"
    return "unreadable"


def is_phantom(dataset):
    return dataset in (config["phantoms"] or {})


def raw_files(wildcards):
    """The state of a data set's raw files; phantoms are known by the rule that makes them."""
    if is_phantom(wildcards.dataset):
        return None
    return raw_files_state(DATASETS[wildcards.dataset]["root"])


def raw_root(wildcards):
    """The folder with a data set as it was downloaded."""
    root = DATASETS[wildcards.dataset]["root"]
    if not is_phantom(wildcards.dataset) and not Path(root).is_dir():
        raise WorkflowError(
            f"config: datasets.{wildcards.dataset}.root: there is no folder {root!r}. Put the raw "
            "scans there, or name their folder; a data set set to null is not in the run."
        )
    return root


def downloaded_archives(wildcards):
    """The archives of a data set: what else is put beside them does not unpack them again."""
    root, dataset = raw_root(wildcards), wildcards.dataset
    if is_phantom(dataset):
        return {"root": root}
    files = [str(Path(root) / name) for name in DATASETS[dataset]["archives"]]
    for file in files:
        if not Path(file).is_file():
            raise WorkflowError(
                f"config: datasets.{dataset}.archives: there is no file {file!r}; put the archive "
                "there, or leave its name out where it is unpacked"
            )
    return {"root": ancient(root), "archives": files}


def listed_root(wildcards):
    """The folder whose scans are listed: what was unpacked, or the download itself."""
    if DATASETS[wildcards.dataset]["archives"]:
        return f"resources/unpacked/{wildcards.dataset}"
    return raw_root(wildcards)


def has_lesion_masks(wildcards):
    return wildcards.dataset in LESION


@cache
def read_rows(table, changed):
    text = Path(table).read_text(encoding="utf-8")
    if reason := why_not_encoded(text):
        raise WorkflowError(f"{table}: {reason}")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t"))


def subject_rows(dataset):
    """The rows of a data set's subject table, made first where it is missing."""
    table = checkpoints.list_subjects.get(dataset=dataset).output.subjects
    return read_rows(table, Path(table).stat().st_mtime_ns)


def batches_of(dataset, modality):
    """From batch number to the rows of the subjects whose scan of a modality can be used.

    A batch is a run of rows of the subject table, those left out included, so that a scan that is
    mended later does not move the others.
    """
    size = config["preprocessing"]["scans_per_job"]
    rows = subject_rows(dataset)
    batches = {
        f"{start // size:03d}": [
            row
            for row in rows[start : start + size]
            if row["status"] != "left_out" and row[modality]
        ]
        for start in range(0, len(rows), size)
    }
    return {batch: usable for batch, usable in batches.items() if usable}


def batch_rows(wildcards):
    return batches_of(wildcards.dataset, wildcards.modality)[wildcards.batch]


def batch_subjects(wildcards):
    return [row["subject"] for row in batch_rows(wildcards)]


def batch_scans(wildcards):
    """The files of a batch as they came: scans, and masks where the data set has them."""
    columns = [wildcards.modality, "seg", "brain_mask"]
    return [row[column] for row in batch_rows(wildcards) for column in columns if row[column]]


def batch_folders(stage):
    """A function from data set and modality to the folders of a stage's batches."""

    def folders(wildcards):
        dataset, modality = wildcards.dataset, wildcards.modality
        batches = batches_of(dataset, modality)
        if not batches:
            raise WorkflowError(
                f"{dataset}: no subject has a {modality} scan that can be used; "
                f"results/subjects/{dataset}.tsv says why. To go on without, take {modality} from "
                f"datasets.{dataset}.modalities"
            )
        return [f"results/{stage}/{dataset}/{modality}/batch{batch}" for batch in batches]

    return folders


def stages_of_batch(wildcards):
    """The stages of a batch that show how its preprocessing went, as far as it was done here."""
    raw = wildcards.dataset in RAW
    folder = f"{wildcards.dataset}/{wildcards.modality}/batch{wildcards.batch}"
    stages = ["resampled", "stripped", "corrected"] if raw else ["corrected"]
    files = {stage: f"results/{stage}/{folder}" for stage in stages}
    return files | ({"atlas": "results/atlas/brain.nii.gz"} if raw else {})


FETCHED_ATLAS = "resources/atlas/fetched.nii.gz"


def atlas_image(wildcards):
    """The file with the atlas: the user's own, the phantoms', or what is fetched."""
    image = config["atlas"]["image"]
    if image is None:
        return FETCHED_ATLAS
    if config["phantoms"] is None and not Path(image).is_file():
        raise WorkflowError(f"config: atlas.image: there is no file {image!r}; put the atlas there")
    return image


def atlas_source():
    """Where the atlas comes from, in words."""
    image, archive = config["atlas"]["image"], config["atlas"]["archive"]
    if image is None:
        return f"{archive['member']} of {archive['address']}"
    return Path(image).name


def head_template(wildcards):
    """The head template and its brain mask, where the data set is stripped by them."""
    if DATASETS[wildcards.dataset]["skull_stripping"] != "template":
        return {}
    template = config["head_template"]
    return {
        "template": template["image"],
        "template_brain_mask": template["brain_mask"],
    }


def hdbet_weights(wildcards):
    """The user's own copy of the weights, or none: then they are fetched."""
    return config["hdbet"]["weights"]["local"] or []


def gpu_for_stripping(wildcards):
    return int(DEVICE["name"] == "cuda")


def split_lists(wildcards):
    """The released lists of a data set, where its split is not drawn."""
    splits = DATASETS[wildcards.dataset]["splits"]
    if splits is None:
        return []
    files = sorted(str(path) for path in Path(splits["folder"]).rglob(f"{splits['name']}_*.csv"))
    if not files:
        raise WorkflowError(
            f"config: datasets.{wildcards.dataset}.splits.folder: there is no {splits['name']}_*.csv "
            f"below {splits['folder']!r}"
        )
    return files


def released_lists(wildcards):
    """Whose lists they are, and whether leaks stay on two sides.

    In one value: Snakemake compares params as a set, in which one of several truths is not missed.
    """
    splits = DATASETS[wildcards.dataset]["splits"]
    return splits and {**splits, "keep_leaks": config["keep_leaks"]}


def of_dataset(key):
    """A function from wildcards to one value of the data set's block."""

    def value(wildcards):
        return DATASETS[wildcards.dataset][key]

    return value
