"""The stages of preprocessing after resampling, by their scripts."""

import correct_bias
import normalize_scans
import register_to_template
import strip_skull


def run_later_stages(folder, *, registration, bias, normalization):
    """From folder/resampled, whose scans have no skull, to folder/normalized, one folder a stage.

    The template is folder/template.nii.gz.
    """
    strip_skull.main(
        scans=folder / "resampled",
        output=folder / "stripped",
        brain_masks=folder / "masks",
        method="none",
        head_template=None,
        head_brain_mask=None,
    )
    register_to_template.main(
        scans=folder / "stripped",
        template=folder / "template.nii.gz",
        output=folder / "registered",
        transforms=folder / "transforms",
        settings=registration,
    )
    correct_bias.main(
        scans=folder / "registered",
        output=folder / "corrected",
        settings=bias,
        weighted=True,
        keep_last_slice=True,
    )
    normalize_scans.main(
        scans=folder / "corrected", output=folder / "normalized", settings=normalization
    )
