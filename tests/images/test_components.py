import numpy as np

from brainuad.images.components import label_components


def test_components_are_numbered_by_size_and_touch_by_corners():
    marked = np.zeros((9, 8, 7), bool)
    marked[0, 0, 0] = True
    marked[3:6, 3:6, 3:6] = marked[6, 6, 6] = True
    marked[8, 0:2, 0] = True
    components = label_components(marked)
    assert components.dtype == np.uint16
    assert (components > 0).sum() == marked.sum()
    assert components[4, 4, 4] == components[6, 6, 6] == 1
    assert components[8, 1, 0] == 2 and components[0, 0, 0] == 3
    assert not label_components(np.zeros((3, 3, 3), bool)).any()


def test_more_components_than_16_bits_can_number():
    marked = np.zeros((2, 600, 600), bool)
    marked[0, ::2, ::2] = True
    components = label_components(marked)
    assert components.max() == 90_000
