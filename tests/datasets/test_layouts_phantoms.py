"""Phantoms as a user's own scans: any contrast they are written in is listed by patterns alone."""

import nibabel as nib
import numpy as np
import pytest
from test_layouts import listed

from brainuad.config.phantoms import PhantomSettings
from brainuad.phantoms.layouts import Dataset, write_subject
from brainuad.phantoms.template import load_template

SETTINGS = PhantomSettings(subjects=4, spacing=(5.0, 5.0, 5.0))
FILES = {
    "brats21": {
        "t1": "{subject}/{subject}_t1.nii.gz",
        "t2": "{subject}/{subject}_t2.nii.gz",
        "flair": "{subject}/{subject}_flair.nii.gz",
        "seg": "{subject}/{subject}_seg.nii.gz",
    },
    "wmh": {
        "t1": "training/Utrecht/{subject}/orig/T1.nii.gz",
        "flair": "training/Utrecht/{subject}/orig/FLAIR.nii.gz",
        "seg": "training/Utrecht/{subject}/wmh.nii.gz",
    },
    "ixi": {
        "t1": "IXI-T1/{subject}-T1.nii.gz",
        "t2": "IXI-T2/{subject}-T2.nii.gz",
    },
}


@pytest.fixture(scope="module")
def template():
    return load_template()


@pytest.mark.parametrize("dataset", FILES)
def test_every_contrast_is_listed_by_patterns(template, tmp_path, dataset):
    # The first and the fourth of WMH are of the same hospital.
    for index in (0, 3):
        write_subject(
            template,
            tmp_path / "raw",
            dataset=Dataset(dataset),
            index=index,
            settings=SETTINGS,
            seed=1,
        )
    modalities = [role for role in FILES[dataset] if role != "seg"]
    table = listed(
        tmp_path,
        "files",
        files=FILES[dataset],
        modalities=modalities,
        lesions="seg" in FILES[dataset],
        lesion_labels=[1, 2, 4],
    )
    assert len(table) == 2
    assert (table["status"] == "ok").all(), table["reason"].tolist()
    assert table[[f"{modality}_digest" for modality in modalities]].stack().is_unique


@pytest.mark.parametrize("dataset", ["brats21", "wmh"])
def test_lesions_are_brighter_than_most_tissue_in_flair_and_not_in_t1(template, tmp_path, dataset):
    write_subject(template, tmp_path, dataset=Dataset(dataset), index=0, settings=SETTINGS, seed=1)
    (flair,) = tmp_path.rglob("orig/FLAIR.nii.gz" if dataset == "wmh" else "*_flair.nii.gz")
    (t1,) = tmp_path.rglob("orig/T1.nii.gz" if dataset == "wmh" else "*_t1.nii.gz")
    (mask,) = tmp_path.rglob("wmh.nii.gz" if dataset == "wmh" else "*_seg.nii.gz")
    labels = np.asarray(nib.load(mask).dataobj)
    # Oedema of tumours, and hyperintensities.
    lesion = labels == (1 if dataset == "wmh" else 2)
    for scan, bright in ((flair, True), (t1, False)):
        values = np.asarray(nib.load(scan).dataobj)
        tissue = values[(labels == 0) & (values > 0.4 * np.percentile(values, 99))]
        assert (np.median(values[lesion]) > np.percentile(tissue, 75)) == bright
