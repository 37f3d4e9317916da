"""The handwritten digits of scikit-learn."""

from typing import Any

import numpy as np

from ._source import Source


def load_digits() -> Source:
    """Load 1797 handwritten digits of 8×8 pixels, embedded in scikit-learn.

    Returns
    -------
    Source
        ``values`` of shape (1797, 64), uint8 from 0 to 16; ``image_shape`` (8, 8); ``labels``
        from 0 to 9.

    References
    ----------
    Alpaydin & Kaynak (1998), Optical Recognition of Handwritten Digits.

    Examples
    --------
    >>> from wellposed.datasets import load_digits
    >>> digits = load_digits()
    >>> digits.values.shape, digits.values.dtype, digits.image_shape
    ((1797, 64), dtype('uint8'), (8, 8))
    """
    import sklearn.datasets  # imported here, since the import takes a second

    bunch: Any = sklearn.datasets.load_digits()
    return Source(
        values=bunch["data"].astype(np.uint8),
        image_shape=(8, 8),
        feature_names=tuple(bunch["feature_names"]),
        labels=bunch["target"].astype(np.uint8),
    )
