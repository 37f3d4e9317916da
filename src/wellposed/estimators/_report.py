"""The page of a fitted model."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sklearn.utils.validation import check_is_fitted

from wellposed._errors import SettingError

from ._diagnose import diagnose
from ._vae import VAE
from .data.rows import check_labels, opened

if TYPE_CHECKING:
    from wellposed.reports import Report


def report(
    vae: Any,
    X: Any,
    X_train: Any = None,
    *,
    labels: Any = None,
    on_panel: Callable[[str], object] | None = None,
) -> "Report":
    """Make a report; see :meth:`wellposed.VAE.report`."""
    from wellposed.reports import make_report  # matplotlib is heavy

    check_is_fitted(vae)
    if not isinstance(vae, VAE):
        raise SettingError(
            f"report takes a fitted wellposed.VAE; got {type(vae).__name__}. PPCA and LinearVAE "
            "are exact: score() has their log p(x), components_ and noise_variance_ the rest, and "
            "plotting.forecast their eigenvalues."
        )
    X = opened(X)[0]
    rows = vae._rows(X)
    check_labels(labels, len(rows))
    if on_panel is not None:
        on_panel("diagnosis")
    found = diagnose(vae, X, X_train)
    return make_report(
        vae, rows, diagnosis=found, labels=labels, key=vae._key("score"), on_panel=on_panel
    )
