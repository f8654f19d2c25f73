"""From wildcards to files and values of scans: raw, and on their way through the stages."""

import csv
import hashlib
import io
import os
from contextlib import suppress

from brainuad.io.folders import walk
from brainuad.io.formats import what_pointer

# ----------------------------------------------------------------------------------------------
# Files from outside the workflow. Snakemake is not shown them as inputs: it would see the time of a
# folder, and throw away each result that is older than a file whose clock was ahead.

FETCHED_ATLAS = "resources/atlas/fetched.nii.gz"
MADE_BY_RULES = ("resources/phantoms/", "resources/unpacked/", FETCHED_ATLAS, "results/")


def made_by_rules(paths_of):
    """An input function: those of the paths that the workflow makes itself."""

    def made(wildcards):
        return [path for path in paths_of(wildcards) if path.startswith(MADE_BY_RULES)]

    return made


def state_of_others(paths_of):
    """A param: the state of those that come from outside, so that a change of them is seen."""

    def state(wildcards):
        others = [path for path in paths_of(wildcards) if not path.startswith(MADE_BY_RULES)]
        return state_of(*others) if others else None

    return state


@cache
def state_of(*paths):
    """A digest of the names, sizes and times of files, and of all files below folders."""
    digest = hashlib.sha256()
    for path in paths:
        files = [path]
        if os.path.isdir(path):
            files += [os.path.join(folder, name) for folder, names in walk(path) for name in names]
        for file in files:
            state = "" if os.path.isdir(file) else file_state(file)
            digest.update(os.fsencode(f"{file} {state}\n"))
    return digest.hexdigest()


def file_state(path):
    """Size and time of a file; of a broken link or an unreadable place, as far as can be seen."""
    for look in (os.stat, os.lstat):
        with suppress(OSError):
            status = look(path)
            return f"{status.st_size} {status.st_mtime_ns}"
    return "unreadable"


def of_a_link(file):
    """What to add about a file that is not there: a link of git-annex leads nowhere at first."""
    reason = what_pointer(Path(file))
    return f": it {reason}" if reason else ""


def is_phantom(dataset):
    return dataset in (config["phantoms"] or {})


def raw_files(wildcards):
    """The state of all that is read to list a data set; phantoms are known by their rule."""
    block = DATASETS[wildcards.dataset]
    if is_phantom(wildcards.dataset):
        return None
    # Each may lie outside the root.
    tables = [
        os.path.join(block["root"], block[key]) for key in ("table", "demographics") if block[key]
    ]
    scans = files_named_in(tables[0]) if block["table"] else []
    return state_of(block["root"], *tables, *scans)


def files_named_in(table):
    """The scans that a table names; paths count from its folder."""
    if not os.path.isfile(table):
        return []
    is_csv = table.lower().endswith(".csv")
    with open(table, newline="", encoding="utf-8-sig", errors="replace") as lines:
        rows = csv.reader(
            (line.replace("\0", "") for line in lines),
            delimiter="," if is_csv else "\t",
            quoting=csv.QUOTE_MINIMAL if is_csv else csv.QUOTE_NONE,
        )
        cells = [cell.strip() for row in rows for cell in row]
    folder = os.path.dirname(table)
    return [os.path.join(folder, cell) for cell in cells if ".nii" in cell.lower()]


def raw_root(wildcards):
    """The folder with a data set as it was downloaded."""
    root = DATASETS[wildcards.dataset]["root"]
    if not is_phantom(wildcards.dataset) and not Path(root).is_dir():
        raise WorkflowError(
            f"config: datasets.{wildcards.dataset}.root: there is no folder {root!r}. Put the raw "
            "scans there, or name their folder; a data set set to null is not in the run."
        )
    return [root]


def downloaded_archives(wildcards):
    """The archives of a data set: what else is put beside them does not unpack them again."""
    (root,), dataset = raw_root(wildcards), wildcards.dataset
    if is_phantom(dataset):
        return [root]
    files = [os.path.join(root, name) for name in DATASETS[dataset]["archives"]]
    for file in files:
        if not os.path.isfile(file):
            raise WorkflowError(
                f"config: datasets.{dataset}.archives: there is no file {file!r}"
                f"{of_a_link(file)}; put the archive there, or leave its name out where it is unpacked"
            )
    return files


def listed_folder(wildcards):
    """The folder whose scans are listed: what was unpacked, or the download itself."""
    dataset = wildcards.dataset
    block = DATASETS[dataset]
    return f"resources/unpacked/{dataset}" if block["archives"] else block["root"]


def listed_root(wildcards):
    return [*raw_root(wildcards), listed_folder(wildcards)]


def listed_table(wildcards):
    """The table of a data set's subjects, where its raw data are there."""
    # Snakemake takes a table that exists for a file of ours where its own rule cannot run.
    if DATASETS[wildcards.dataset]["archives"]:
        downloaded_archives(wildcards)
    raw_root(wildcards)
    return f"results/listed/{wildcards.dataset}.tsv"


def is_at_hand(dataset):
    """Whether a data set can be listed; one that is asked for says what is missing."""
    block = DATASETS[dataset]
    files = [os.path.join(block["root"], name) for name in block["archives"]]
    return is_phantom(dataset) or os.path.isdir(block["root"]) and all(map(os.path.isfile, files))


def tables_before(wildcards):
    """The subject tables whose subjects keep a scan that a data set has too."""
    # Nothing but what is at hand, so that one data set can be asked for without the others; phantoms
    # of patients are drawn, so that none is a copy of another. Healthy ones first, so that what
    # patients are in a run trains no model anew.
    order = [*HEALTHY, *(name for name in PATIENTS if not is_phantom(name))]
    place = order.index(wildcards.dataset) if wildcards.dataset in order else len(HEALTHY)
    before = order[:place]
    return [f"results/listed/{dataset}.tsv" for dataset in before if is_at_hand(dataset)]


# ----------------------------------------------------------------------------------------------
# Subjects, batches, stages.


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
    table = checkpoints.leave_out_copies.get(dataset=dataset).output.subjects
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


def children_of_batch(wildcards):
    """The subjects of a batch whose brains are not judged by the volume of an adult's."""
    return [
        row["subject"] for row in batch_rows(wildcards) if row["age"] and float(row["age"]) < 18
    ]


def batch_files(wildcards):
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


def atlas_image(wildcards):
    """The file with the atlas: the user's own, the phantoms', or what is fetched."""
    image = config["atlas"]["image"]
    if image is None:
        return [FETCHED_ATLAS]
    if config["phantoms"] is None and not Path(image).is_file():
        raise WorkflowError(
            f"config: atlas.image: there is no file {image!r}{of_a_link(image)}; put the atlas there"
        )
    return [image]


def atlas_source():
    """Where the atlas comes from, in words."""
    image, archive = config["atlas"]["image"], config["atlas"]["archive"]
    if image is None:
        return f"{archive['member']} of {archive['address']}"
    return Path(image).name


def head_template(wildcards):
    """The head template and its brain mask, where the data set is stripped by them."""
    if DATASETS[wildcards.dataset]["skull_stripping"] != "template":
        return []
    files = [config["head_template"][key] for key in ("image", "brain_mask")]
    for file in files:
        if not file.startswith(MADE_BY_RULES) and not Path(file).is_file():
            raise WorkflowError(
                f"config: head_template: there is no file {file!r}{of_a_link(file)}"
            )
    return files


def hdbet_weights(wildcards):
    """The user's own copy of the weights, or none: then they are fetched."""
    local = config["hdbet"]["weights"]["local"]
    return [] if local is None else [local]


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
