"""The sections on the paper's other experiments, and on the quality of reconstruction."""

from brainuad.io.markup import as_text
from brainuad.plan.grids import Grid
from brainuad.plan.looks import styles_of
from brainuad.plan.register.entries import FigureEntry, Section, TableEntry
from brainuad.plan.register.files import table_file, varied
from brainuad.plan.register.wording import bootstrap, cohort_label, drawn, interval, spread
from brainuad.plan.study import Study

SIDES = "Radiological display: R is the patient's right."


def contrast(study: Study) -> Section:
    methods = study.methods_of_experiment("contrast")
    scored = Grid.of(methods, study.folds, study.lesion_cohorts)
    segmented = TableEntry(
        name="contrast",
        module="scores",
        inputs={"scores": scored.files("results/contrast")},
        params={
            **scored.lists(),
            "bootstrap": bootstrap(study),
            "metrics": ["dice", "auprc"],
            "shown": ["dice", "auprc"],
            "average": True,
            "extra": "gamma",
        },
        category="Experiments",
        label="changed contrast",
        title="Segmentation under changed contrast",
        heading="Segmentation under changed contrast",
        caption="Segmentation under changed contrast: the intensities x of each scan became x to "
        "the power of gamma (\u03b3), the number before a method. No model was retrained; "
        "thresholds were fitted on validation subjects under the same change. "
        f"{spread(study)} The best method of a column is in bold.",
    )
    return Section(
        "contrast",
        "Changed contrast",
        "Contrast",
        "segmentation and intensities where the intensities of scans were changed",
        [*([segmented] if scored else []), *_histograms(study)],
    )


def _histograms(study: Study) -> list[TableEntry | FigureEntry]:
    methods, folds = study.methods_of_experiment("histograms"), study.folds
    cohorts = study.cohorts_of_experiment("histograms")
    compared = Grid.of(methods, folds, cohorts)
    if not compared:
        return []
    gammas = study.config["experiments"]["histograms"]["gammas"]
    files, measured = varied(compared, "results/histograms", "gamma", gammas)
    table = TableEntry(
        name="histograms",
        module="scores",
        inputs={"scores": files},
        params={
            **measured.lists(),
            "bootstrap": bootstrap(study),
            "metrics": ["entropy_difference", "kl_divergence"],
            "shown": ["entropy_difference", "kl_divergence"],
            "extra": "gamma",
        },
        category="Experiments",
        label="intensities",
        title="Intensities of scans and reconstructions",
        heading="Intensities of scans and reconstructions",
        caption="How far the intensities of reconstructions are from those of their scans, in "
        "histograms of the healthy voxels of the brain. The intensities x of each scan of a test "
        "subject became x to the power of gamma (\u03b3), the number before a method, before it "
        "was reconstructed; no model was retrained. The entropy difference, the entropy of the "
        "scans minus that of the reconstructions, is what the paper calls KLD; it is computed over "
        "all test subjects together, so it has no interval, and the value nearest to "
        "zero is best. The KL divergence is computed for each subject's scan and reconstruction, "
        f"with half a voxel added to each bin. Both are in nats. {spread(study)} The best method "
        "of a column under one gamma is in bold.",
    )
    figures = []
    for cohort in cohorts:
        first = Grid.of(methods, [study.first_fold], [cohort])
        densities, drawn_rows = varied(first, "results/histograms", "gamma", gammas, ".npz")
        figures.append(
            FigureEntry(
                name=f"histograms_{cohort.name}",
                module="histograms",
                inputs={"histograms": densities},
                params={
                    "methods": drawn_rows.lists()["methods"],
                    "cohort": [cohort.dataset, cohort.modality],
                    "styles": styles_of(study, methods),
                },
                category="Experiments",
                label="intensities",
                of=cohort_label(study, cohort),
                ending="png",
                wide=True,
                caption="Intensities of the healthy brain voxels, pooled over the test subjects of "
                "the first fold: of the scans (grey) and of their reconstructions (line). The "
                "intensities x of each scan became x to the power of gamma (\u03b3); no model was "
                "retrained, and no threshold is used. Each histogram has an area of one; the "
                "panels of a column have one scale, and bins at 0 and 1, where clipped intensities "
                "gather, may be cut. \u0394H is the entropy of the scans' histogram minus that of "
                "the reconstructions', in nats, from all bins before neighbours were joined for "
                "the picture. The table has it over all folds, and the KL divergence.",
            )
        )
    return [table, *figures]


def conditioning(study: Study) -> Section:
    experiment = study.config["experiments"]["conditioning"]
    cohorts = study.cohorts_of_experiment("conditioning")
    measured = Grid.of(experiment["models"], study.folds, cohorts)
    table = TableEntry(
        name="conditioning",
        module="conditioning",
        inputs={"scores": measured.files("results/conditioning")},
        params={**measured.lists(), "bootstrap": bootstrap(study)},
        category="Experiments",
        label="conditioning",
        title="Reconstruction when the encoder sees a part of the slice",
        caption="The l1 between scan and reconstruction over the brain voxels of all slices of all "
        "test subjects. The encoder saw only the given share of each slice's width, and "
        "background in place of the rest. The diffusion model itself got the "
        "whole slice, noised at timestep t (1000 is pure noise). The two parts of the brain are "
        "the same in all columns: the part that the encoder saw at every share, and the part that "
        "it did not see at the smallest. A model without an encoder reconstructs the same for all "
        "shares. "
        f"{spread(study)} The best model of a column is in bold, for each timestep separately.",
    )
    figures = [
        FigureEntry(
            name=f"conditioning_{cohort.name}",
            module="conditioning",
            inputs={
                "reconstructions": Grid.of(
                    experiment["models"], [study.first_fold], [cohort]
                ).files("results/conditioning", ".npz")
            },
            params={
                "models": experiment["models"],
                "cohort": [cohort.dataset, cohort.modality],
            },
            category="Experiments",
            label="conditioning",
            of=cohort_label(study, cohort),
            ending="png",
            wide=True,
            caption="One axial slice of a few healthy test subjects of the first fold, "
            "reconstructed from noise at the timesteps t next to the pictures; at t = 1000 the "
            "model knows only what the encoder passes on. The encoder saw the share of the "
            "slice above each column, up to the yellow line, on the side of the patient's left "
            "(the right of the picture); a model without an encoder is shown once. The numbers "
            "are the mean absolute errors (10\u207b\u00b3) of this slice's brain on either side "
            f"of the cut. No threshold is used. {SIDES}",
        )
        for cohort in cohorts
    ]
    return Section(
        "conditioning",
        "What the condition does",
        "Conditioning",
        "reconstructions whose encoder saw only a part of the slice",
        [table, *figures] if measured else [],
    )


def reconstruction(study: Study) -> Section:
    cohorts = [*study.healthy_cohorts, *study.lesion_cohorts]
    scored = Grid.of(study.reconstructing, study.folds, cohorts)
    perceptual = Grid.of(
        study.reconstructing if study.config["evaluation"]["perceptual"] else [],
        study.folds,
        study.healthy_cohorts,
    )
    metrics = ["ssim", "psnr", "lpips", "l1", "l1_ratio", "l1_ratio_released"]
    return Section(
        "reconstruction",
        "Quality of reconstruction",
        "Reconstruction",
        "how close reconstructions are to their scans, and how long they take",
        [
            TableEntry(
                name="reconstruction",
                module="scores",
                inputs={
                    "scores": scored.files("results/scores")
                    + perceptual.files("results/perceptual")
                },
                params={
                    **(scored + perceptual).lists(),
                    "bootstrap": bootstrap(study),
                    "metrics": metrics,
                    "shown": metrics,
                },
                category="Tables",
                label="reconstruction",
                title="Quality of reconstruction",
                caption="Quality of reconstruction: SSIM, PSNR, l1 and, where its weights were "
                "given, LPIPS between scan and reconstruction of healthy test subjects, and on "
                "the lesion sets the l1 ratio, the mean residual of lesion voxels over that of "
                "healthy ones: within the brain, and as in the released code, of all voxels "
                "with the background. For l1 and LPIPS lower is better, for the others higher. "
                f"{spread(study)} The best method of a column is in bold.",
            ),
            *_times(study),
        ],
    )


def _times(study: Study) -> list[TableEntry | FigureEntry]:
    if not study.reconstructing:
        return []
    reference = study.config["evaluation"]["times_reference"]
    label = as_text(study.all_methods[reference].label)
    table = TableEntry(
        name="times",
        module="times",
        inputs={"times": [f"results/times/{modality}.tsv" for modality in study.modalities]},
        params={"reference": reference, "bootstrap": bootstrap(study)},
        category="Experiments",
        label="times",
        title="Time of reconstruction",
        heading="Time",
        caption="Seconds that each method takes to reconstruct one volume, and their ratio to "
        f"those of {label}. They are counted from the slices of a few test subjects of the first "
        "fold in memory to their reconstructions in memory, in the batches of a whole cohort and, "
        "where the config asks for it, compiled. The methods of a column took turns in one job, so "
        "that they had the same machine, and ratios are of the same round; times of different runs "
        "cannot be compared. The first line of a cell is the mean over some rounds, the second "
        f"the {interval(study)} of that mean ({drawn(study)}). The fastest method of a column is "
        "in bold. Paper: cDDPM takes 1.02 times as long as DDPM, and 0.63 times as long as pDDPM.",
    )
    figure = FigureEntry(
        name="times",
        module="times",
        inputs={"table": table_file("times")},
        params={"reference": reference, "styles": styles_of(study, study.reconstructing)},
        category="Experiments",
        label="times",
        wide=True,
        caption="Seconds from the slices of a volume to its reconstruction, by method and "
        "modality: means over a few volumes of the first fold, with the bootstrap interval of the "
        f"mean as a line. The ratio to {label} in the same round is in brackets, if that "
        "method is a row.",
    )
    return [table, figure]
