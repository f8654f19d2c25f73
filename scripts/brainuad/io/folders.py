"""The folders below a root as data sets have them: links are followed, what is hidden is not."""

import os
from collections.abc import Callable, Iterator

HIDDEN = (".", "__MACOSX")


def walk(
    root: str | os.PathLike, *, unreadable: Callable[[OSError], None] | None = None
) -> Iterator[tuple[str, list[str]]]:
    """Each folder, the root too, and the sorted names of its files; each folder once.

    Links lead into folders not yet seen. Hidden files and folders are passed over, and what macOS
    leaves in archives. `unreadable` is called for a folder that cannot be read.
    """
    seen = set()
    # The links wait until all real folders are seen, so that these keep their names.
    starts = [str(root)]
    for start in starts:
        for folder, children, files in os.walk(start, onerror=unreadable):
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:
                children.clear()
                continue
            seen.add((status.st_dev, status.st_ino))
            children[:] = sorted(child for child in children if not child.startswith(HIDDEN))
            paths = [os.path.join(folder, child) for child in children]
            starts.extend(path for path in paths if os.path.islink(path))
            yield folder, sorted(file for file in files if not file.startswith(HIDDEN))
