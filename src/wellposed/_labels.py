"""Labels of rows."""

from typing import Any

import numpy as np


def sortable(labels: Any) -> np.ndarray:
    """Return labels unchanged, or as text where their types cannot be compared.

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
