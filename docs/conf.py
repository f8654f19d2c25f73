"""The documentation as a site, from the same Markdown files that a forge shows: `make site`."""

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]

project = "brainuad"
copyright = "The brainuad authors"
extensions = ["myst_parser", "sphinxcontrib.mermaid"]
# The source folder is the project's, so that README files are pages too.
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "docs/*/*.md", "config/*.md", "containers/*.md"]
include_patterns += ["envs/*.md", "resources/paper/*.md"]
include_patterns += ["resources/README.md", "results/README.md"]
# What is not walked through, since a run puts much there.
exclude_patterns = [".*", "demo/*", "docs/_site", "resources/[!p]*/*", "results/*/*", "scripts/*"]

myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]
mermaid_height = "auto"
mermaid_fullscreen = False
html_theme = "furo"
html_title = "brainuad"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False

MAP = PROJECT / "docs" / "README.md"


def add_contents(app, docname, source):
    """Give the first page the table of contents of the side bar: the lists of docs/README.md."""
    if docname != root_doc:
        return
    _, *parts = re.split(r"^## ", MAP.read_text(encoding="utf-8"), flags=re.MULTILINE)
    source[0] += contents("Start", [MAP])
    for part in parts:
        caption = part.splitlines()[0].partition(":")[0]
        links = re.findall(r"\]\(([\w./-]+\.md)[)#]", part)
        source[0] += contents(caption, [MAP.parent / link for link in links])


def contents(caption, files):
    """A hidden table of contents of these pages."""
    names = [file.resolve().relative_to(PROJECT).with_suffix("").as_posix() for file in files]
    listed = "\n".join(f"/{name}" for name in dict.fromkeys(names))
    return f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{listed}\n```\n"


def setup(app):
    """What Sphinx calls."""
    app.connect("source-read", add_contents)
