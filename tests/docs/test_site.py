"""docs/conf.py: the side bar of the site leads to every page, by the lists of docs/README.md."""

import re
import runpy
from fnmatch import fnmatch

from small_study import PROJECT

CONF = runpy.run_path(str(PROJECT / "docs" / "conf.py"))


def test_every_page_of_the_site_is_in_its_side_bar():
    source = ["# brainuad\n"]
    CONF["add_contents"](None, "README", source)
    listed = re.findall(r"^/(.*)$", source[0], flags=re.MULTILINE)
    assert len(listed) == len(set(listed))
    pages = {
        str(path.relative_to(PROJECT).with_suffix(""))
        for pattern in CONF["include_patterns"]
        for path in PROJECT.glob(pattern)
    }
    assert set(listed) == pages - {"README"}
    captions = re.findall(r"^:caption: (.*)$", source[0], flags=re.MULTILINE)
    assert captions == ["Start", "Tutorial", "How-to guides", "Reference", "Explanation", "Help"]


def test_other_pages_stay_as_they_are():
    source = ["# Architecture\n"]
    CONF["add_contents"](None, "docs/explanation/architecture", source)
    assert source == ["# Architecture\n"]


def test_no_page_is_left_out_by_a_pattern():
    for pattern in CONF["include_patterns"]:
        for path in PROJECT.glob(pattern):
            name = str(path.relative_to(PROJECT))
            assert not any(fnmatch(name, left_out) for left_out in CONF["exclude_patterns"]), name
