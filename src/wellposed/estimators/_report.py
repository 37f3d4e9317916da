"""The page of a fitted model."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from wellposed._errors import DataError

from ._diagnose import diagnose

if TYPE_CHECKING:
    from wellposed.report import Report


def report_of(
    vae: Any,
    X: Any,
    X_train: Any = None,
    *,
    labels: Any = None,
    on_panel: Callable[[str], object] | None = None,
) -> "Report":
    """Make a report; see :meth:`wellposed.VAE.report`."""
    from wellposed.report import made  # matplotlib is heavy

    check_is_fitted(vae)
    rows = vae._rows(X)
    if labels is not None and np.shape(labels) != (len(rows),):
        raise DataError(
            f"There must be one label a row; got labels of shape {np.shape(labels)} for "
            f"{len(rows)} rows. Pass the labels of these rows, or none."
        )
    if on_panel is not None:
        on_panel("diagnosis")
    found = diagnose(vae, X, X_train)
    return made(vae, rows, diagnosis=found, labels=labels, key=vae._key("score"), on_panel=on_panel)
