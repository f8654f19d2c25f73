"""What a BIDS data set of derivatives says about itself, beside the scans."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from brainuad.io.rows import write_rows
from brainuad.report.derivatives.anomalies import ANOMALIES
from brainuad.report.derivatives.names import label_of

BIDS_VERSION = "1.10.1"
# What BIDS has no name for.
IGNORED = (ANOMALIES, "template", "*_anomalymap.*", "*_stdmap.*", "*_xfm.*")
TEMPLATE = "template/brain.nii.gz"

README = """# {name}

What {label} finds in each scan, made by a workflow for unsupervised anomaly detection in brain MRI.
These are findings of a research method. They are not for diagnosis.

`anomalies.tsv` has one row per scan. Beside each scan lie, {where}:

| file | holds |
|---|---|
| `desc-brain_mask` | the brain mask |
| `desc-{desc}_anomalymap` | the anomaly map: {score}; the higher, the less like a healthy brain |
| `label-L_desc-{desc}_mask` | the voxels above the threshold, without small parts |
| `desc-{desc}_dseg` | the same with a number for each part, which the table beside it describes |
{more}
The `.json` of the mask and of the labels says which threshold it was and where that comes from.
`participants.tsv` says which participant is which subject of the data set the scans come from.
"""
IN_ORIG = "on the grid of the very file that the scan came in (`space-orig`)"
IN_TEMPLATE = "in the space of the template, to which these scans came registered"
RECONSTRUCTION = (
    "| `space-template_desc-{desc}_*` | the healthy brain that the model makes of the scan, in the "
    "space of the template |\n"
)
DEVIATION = (
    "| `desc-{desc}_stdmap` | how much the reconstructions of the scan differ: their standard "
    "deviation, in intensities from 0 to 1 |\n"
)
TRANSFORM = (
    "| `from-orig_to-template_mode-image_xfm.txt` | the affine transform to the template, as ITK "
    "and ANTs read it |\n"
)


def write_dataset_files(
    folder: Path,
    *,
    name: str,
    method: str,
    method_label: str,
    score: str,
    version: str,
    source: str,
    native: bool,
    reconstructs: bool,
    samples: bool,
    also_ignored: Sequence[str] = (),
) -> None:
    """Write what a data set of derivatives has beside its scans, into a folder that exists.

    score    what the values of an anomaly map are, in words
    source   the folder with the scans as they came
    native   whether results lie in the space of the scans
    samples  whether there are several reconstructions of a scan
    """
    desc = label_of(method)
    description = {
        "Name": name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [
            {
                "Name": "brainuad",
                "Version": version,
                "Description": f"anomaly maps by {method_label} ({method})",
            }
        ],
        "SourceDatasets": [{"URL": url_of(source)}],
        "DatasetLinks": {"raw": url_of(source)},
    }
    write_json(folder / "dataset_description.json", description)
    rows = ((DEVIATION, samples), (RECONSTRUCTION, reconstructs), (TRANSFORM, native))
    more = "".join(row for row, is_there in rows if is_there)
    (folder / "README.md").write_text(
        README.format(
            name=name,
            label=method_label,
            score=score,
            desc=desc,
            where=IN_ORIG if native else IN_TEMPLATE,
            more=more.format(desc=desc),
        ),
        encoding="utf-8",
    )
    ignored = [*IGNORED, *also_ignored]
    (folder / ".bidsignore").write_text("".join(f"{line}\n" for line in ignored))
    described = [("desc-brain", "the brain, which alone was looked at")]
    described += [(f"desc-{desc}", f"by the method {method_label} ({method})")]
    write_rows(["desc_id", "description"], described, folder / "descriptions.tsv")


def threshold_facts(fitted: Mapping[str, Any]) -> dict[str, Any]:
    """What sidecars say of a threshold: of a lesion cohort, or of healthy voxels (`share`)."""
    if "share" in fitted:
        origin = (
            f"{100 * fitted['share']:g} % of the brain voxels of {fitted['subjects']} healthy "
            "validation subjects lie above it"
        )
    else:
        origin = (
            f"of best Dice with the lesion masks of {fitted['subjects']} validation subjects of "
            "this cohort"
        )
    return {"Value": fitted["threshold"], "Origin": origin}


def url_of(folder: str) -> str:
    """A folder as a URL: of an absolute path with its scheme, else relative as it stands."""
    return Path(folder).as_uri() if Path(folder).is_absolute() else quote(folder)


def raw_uri(file: str, source: str) -> str:
    """A raw file as BIDS names it from another data set; one outside the source by its own URL."""
    path = Path(file)
    if path.is_relative_to(source):
        return f"bids:raw:{quote(path.relative_to(source).as_posix())}"
    return url_of(file)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a sidecar, its keys in the order given."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")
