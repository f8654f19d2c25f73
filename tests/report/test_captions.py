"""Every caption of Snakemake's report can be filled with a job's own values."""

from pathlib import Path
from types import SimpleNamespace

import jinja2
import pytest
from small_report import BOOTSTRAP

CAPTIONS = Path(__file__).parents[2] / "workflow" / "report"


class Anything:
    """Stands for wildcards or params: every name has a value."""

    bootstrap = SimpleNamespace(**BOOTSTRAP)

    def __getattr__(self, name):
        return f"<{name}>"


@pytest.mark.parametrize("phantoms", [None, {"brats21": {}}])
@pytest.mark.parametrize("caption", sorted(CAPTIONS.glob("*.rst")), ids=lambda path: path.stem)
def test_captions_can_be_filled(caption, phantoms):
    job = SimpleNamespace(wildcards=Anything(), params=Anything(), config={"phantoms": phantoms})
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    text = environment.from_string(caption.read_text(encoding="utf-8")).render(snakemake=job)
    assert "{" not in text and len(text) > 80
    if caption.stem == "workflow":
        assert ("phantoms" in text) == (phantoms is not None)
