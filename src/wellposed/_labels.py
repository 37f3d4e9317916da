"""Labels of rows, of whatever kinds they are."""

from typing import Any

import numpy as np


def sortable(labels: Any) -> np.ndarray:
    """Labels as they are, or as text where they are of kinds that do not compare.

    Examples
    --------
    >>> sortable(np.array([2, "a", None], dtype=object)).tolist()
    ['2', 'a', 'None']
    """
    found = np.asarray(labels)
    try:
        np.unique(found)
    except TypeError:
        return np.array([str(label) for label in found], dtype=object)
    return found
