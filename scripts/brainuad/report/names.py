"""Methods and data sets as people write them."""

PRETRAINING = "pretraining"
METHOD_NAMES = {
    "thresh": "Thresh",
    "anogan": "AnoGAN",
    "vae": "VAE",
    "svae": "SVAE",
    "ae": "AE",
    "dae": "DAE",
    "ddpm": "DDPM",
    "pddpm": "pDDPM",
    "cddpm": "cDDPM",
    "cddpm_ssl": "cDDPM SSL",
}
DATASET_NAMES = {
    "average": "Mean",
    "ixi": "IXI",
    "brats21": "BraTS21",
    "mslub": "MSLUB",
    "atlas": "ATLAS",
    "wmh": "WMH",
}
ENSEMBLE_SUFFIX = "_ens"


def method_name(method: str) -> str:
    """A method as people write it: cddpm_ssl_ens is cDDPM SSL ENS; an unknown one is itself."""
    base = method.removesuffix(ENSEMBLE_SUFFIX)
    name = METHOD_NAMES.get(base, base)
    return f"{name} ENS" if base != method else name


def model_name(model: str) -> str:
    """As `method_name`; the pretraining of the encoder is named by what it is."""
    return "SparK pretraining" if model == PRETRAINING else method_name(model)


def dataset_name(dataset: str, modality: str | None = None) -> str:
    """A data set as people write it, with its modality where given: BraTS21 T2."""
    name = DATASET_NAMES.get(dataset, dataset)
    return f"{name} {modality.upper()}" if modality else name
