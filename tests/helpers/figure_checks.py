"""What the tests of figures share."""

import xml.etree.ElementTree as ElementTree


def drawn_twice(draw, folder):
    """Draw into two folders; the files must be the same bytes. Gives the SVG as text."""
    files = []
    for attempt in ("first", "second"):
        svg, png = folder / attempt / "a.svg", folder / attempt / "a.png"
        draw(svg=svg, png=png)
        ElementTree.parse(svg)
        assert png.read_bytes().startswith(b"\x89PNG")
        files.append((svg.read_bytes(), png.read_bytes()))
    assert files[0] == files[1]
    return files[0][0].decode()
