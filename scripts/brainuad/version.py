"""The release of this code; pyproject.toml, CITATION.cff and CHANGELOG.md say the same."""

VERSION = "0.2.0"
