import pytest

from brainuad.report.pages.pages import body_of, page, write_text


def test_a_page_is_whole_and_needs_nothing_else():
    text = page(title="A <b> & c", body="<p>words</p>")
    assert text.startswith("<!DOCTYPE html>") and text.endswith("</html>\n")
    assert text.count("A &lt;b&gt; &amp; c") == 2 and "<b>" not in text
    assert "<p>words</p>" in text and "http" not in text and "src=" not in text


@pytest.mark.parametrize(
    "body",
    [
        "<p>words</p>",
        "",
        "<h2>two</h2>\n\n<table class='numbers'><tr><td>1</td></tr></table>\n",
        "<p>a \u00b1 b</p>\n<main>\ninside\n</main>\n<p>more</p>",
    ],
)
def test_a_page_gives_its_body_back(tmp_path, body):
    write_text(page(title="A", body=body), tmp_path / "a.html")
    assert body_of(tmp_path / "a.html") == body


def test_another_kind_of_page_is_refused(tmp_path):
    write_text("<html><body>words</body></html>", tmp_path / "other.html")
    with pytest.raises(ValueError, match=r"other\.html is no page of this report"):
        body_of(tmp_path / "other.html")


def test_a_text_is_written_as_utf8_with_plain_line_ends(tmp_path):
    write_text("\u03b3\n", tmp_path / "folder" / "a.txt")
    assert (tmp_path / "folder" / "a.txt").read_bytes() == b"\xce\xb3\n"
