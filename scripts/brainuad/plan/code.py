"""The modules that a rule's script imports by name, and the digest of all code behind a rule."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from brainuad.config.evaluation import NORMATIVE
from brainuad.plan.code_digest import code_digest
from brainuad.plan.study import RESIDUAL, Study

LIBRARY = Path(__file__).resolve().parents[1]
QUALITY_PAGE = LIBRARY / "report" / "quality" / "page.html.jinja"
SCAN_PAGE = [
    LIBRARY / "report" / "scans" / name
    for name in ("scan.html.jinja", "viewer.js", "style.css", "niivue/niivue.umd.js")
]
SCAN_INDEX_PAGE = [
    LIBRARY / "report" / "scans" / name for name in ("index.html.jinja", "index.js", "style.css")
]

Files = Path | Iterable[Path]


class CodePlan:
    """Modules that scripts import by name; each method takes the wildcards of a job."""

    def __init__(self, study: Study) -> None:
        self.study = study

    def layout_of_dataset(self, wildcards: Any) -> Path:
        return self._layout(self.study.datasets[wildcards.dataset])

    def layout(self, wildcards: Any) -> Path:
        return self._layout(self.study.block_of(wildcards.cohort))

    def _layout(self, block: dict[str, Any]) -> Path:
        return LIBRARY / "datasets" / "layouts" / f"{block['layout']}.py"

    def model(self, wildcards: Any) -> Path:
        return self._model(wildcards.model)

    def model_of_method(self, wildcards: Any) -> list[Path]:
        model = self.study.all_methods[wildcards.method].model
        return [] if model is None else [self._model(model)]

    def all_models(self, wildcards: Any) -> list[Path]:
        kinds = {self._model(model) for model in self.study.models}
        pretraining = {LIBRARY / "models" / "spark.py"} if self.study.starts_from_spark else set()
        return sorted(kinds | pretraining)

    def _model(self, model: str) -> Path:
        return LIBRARY / "models" / f"{self.study.config['models'][model]['kind']}.py"

    def residual(self, wildcards: Any) -> list[Path]:
        """The score of experiments without a method: a model at another timestep."""
        return self._score(RESIDUAL)

    def score(self, wildcards: Any) -> list[Path]:
        return self._score(self.study.all_methods[wildcards.method].score)

    def all_scores(self, wildcards: Any) -> list[Path]:
        scores = (method.score for method in self.study.asked_methods)
        return sorted({file for score in scores for file in self._score(score)})

    def _score(self, block: dict[str, Any]) -> list[Path]:
        """The file of a score; of a normative score also the file of the score that it compares."""
        file = LIBRARY / "scores" / f"{block['kind']}.py"
        return [file, *(self._score(block["of"]) if block["kind"] == NORMATIVE else [])]


def code_of(script: str, *plugins: Files | Callable[[Any], Files]) -> Callable[[Any], str]:
    """A param: the digest of the meaning of a script's code, computed when it is needed.

    plugins  files that the script imports by name, or functions from wildcards to them
    """

    def digest(wildcards: Any) -> str:
        files: list[Path] = []
        for plugin in plugins:
            found = plugin(wildcards) if callable(plugin) else plugin
            files += [found] if isinstance(found, Path) else found
        return code_digest(script, *files)

    return digest
