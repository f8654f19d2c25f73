"""What is scored: every combination of method, fold and data set, as parallel lists.

A grid with modalities says where the scans of a data set come from that has several.
"""


def score_grid(methods, datasets):
    """Every combination of method, fold and data set, as three parallel lists."""
    grid = [(method, fold, dataset) for method in methods for fold in FOLDS for dataset in datasets]
    return {
        "methods": [method for method, _, _ in grid],
        "folds": [fold for _, fold, _ in grid],
        "datasets": [dataset for _, _, dataset in grid],
    }


def score_files(grid, folder="results/scores"):
    return [
        f"{folder}/{method}/fold{fold}/{dataset}.tsv"
        for method, fold, dataset in zip(grid["methods"], grid["folds"], grid["datasets"])
    ]


def scan_grid(methods, scans):
    """The same for scans such as "ixi_t2", as four parallel lists."""
    places = [name.rpartition("_")[::2] for name in scans]
    grid = [(method, fold, *place) for method in methods for fold in FOLDS for place in places]
    keys = ("methods", "folds", "datasets", "modalities")
    return {key: [row[number] for row in grid] for number, key in enumerate(keys)}


def scan_file(folder, method, modality, fold, dataset, ending="tsv"):
    return f"{folder}/{method}/{modality}/fold{fold}/{dataset}.{ending}"


def files_of_scans(grid, folder, ending="tsv"):
    return [
        scan_file(folder, method, modality, fold, dataset, ending)
        for method, fold, dataset, modality in zip(*grid.values())
    ]


def files_of_thresholds(grid):
    """Those that were fitted: a lesion set has one modality, which its file does not name."""
    return [
        f"results/thresholds/{method}/fold{fold}/{dataset}.json"
        for method, fold, dataset in zip(grid["methods"], grid["folds"], grid["datasets"])
    ]


def without_modalities(grid):
    """What a table takes beside its files, which name the modality themselves."""
    return {key: values for key, values in grid.items() if key != "modalities"}


def scans_of(grid):
    """The scans of a grid, such as "ixi_t2", once each."""
    pairs = zip(grid["datasets"], grid["modalities"])
    return list(dict.fromkeys("_".join(pair) for pair in pairs))


def joined(grid, other):
    return {key: grid[key] + other[key] for key in grid}


def first_fold_of_scans(grid, folder):
    """A function from a data set and modality to the arrays of all methods, in the first fold."""

    def files(wildcards):
        return [
            scan_file(folder, method, wildcards.modality, FOLDS[0], wildcards.dataset, "npz")
            for method in dict.fromkeys(grid["methods"])
        ]

    return files


def in_this_run(scans):
    """Those of the scans that are packed, and whose healthy voxels are known."""
    known = [*HEALTHY, *LESION]
    return [name for name in scans if name in packed_sets() and name.rpartition("_")[0] in known]


def packed_sets():
    """Every data set and modality that is packed, as "dataset_modality"."""
    return [f"{name}_{modality}" for name in DATASETS for modality in DATASETS[name]["modalities"]]


def of_experiment(name):
    """The grid of an experiment on given scans."""
    return scan_grid(EXPERIMENTS[name]["methods"], in_this_run(EXPERIMENTS[name]["scans"]))


def with_lesion_sets(datasets):
    """The scans of data sets whose modality has a lesion set, which fits a threshold."""
    modalities = {modality for name in LESION for modality in DATASETS[name]["modalities"]}
    return [
        f"{name}_{modality}"
        for name in datasets
        for modality in DATASETS[name]["modalities"]
        if modality in modalities
    ]


SEGMENTATION = score_grid(METHODS, LESION)
RECONSTRUCTION = score_grid(painting_methods(), [*HEALTHY, *LESION])
PERCEPTUAL = score_grid(painting_methods() if config["evaluation"]["perceptual"] else [], HEALTHY)
TIMESTEPS = score_grid(EXPERIMENTS["timesteps"]["methods"], LESION)
CONTRAST = score_grid(EXPERIMENTS["contrast"]["methods"], LESION)
POSTPROCESSING = score_grid(EXPERIMENTS["postprocessing"]["methods"], LESION)
HISTOGRAMS = of_experiment("histograms")
CONDITIONING = of_experiment("conditioning")
LESION_THRESHOLDS = scan_grid(METHODS, with_lesion_sets(LESION))
HEALTHY_THRESHOLDS = scan_grid(METHODS, with_lesion_sets(HEALTHY))
