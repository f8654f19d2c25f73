"""Walk through the folders of a data set: links are followed, hidden files are skipped."""

import os
from collections.abc import Callable, Iterator

HIDDEN = (".", "__MACOSX")


def walk(
    root: str | os.PathLike,
    *,
    unreadable: Callable[[OSError], None] | None = None,
    again: Callable[[str], None] = lambda folder: None,
) -> Iterator[tuple[str, list[str]]]:
    """Each folder once, including the root, and the sorted names of its files.

    Links are followed into folders that were not visited yet. Hidden files and folders are skipped,
    and so are those that macOS adds to archives. `unreadable` is called for a folder that cannot be
    read, and `again` for a link to a folder that was visited.
    """
    seen = set()
    # Links come after all real folders, so that a folder is visited under its real name.
    starts = [str(root)]
    for start in starts:
        for folder, children, files in os.walk(start, onerror=unreadable):
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:
                children.clear()
                again(folder)
                continue
            seen.add((status.st_dev, status.st_ino))
            children[:] = sorted(child for child in children if not child.startswith(HIDDEN))
            paths = [os.path.join(folder, child) for child in children]
            starts.extend(path for path in paths if os.path.islink(path))
            yield folder, sorted(file for file in files if not file.startswith(HIDDEN))
