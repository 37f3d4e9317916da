"""A page to look into a fitted model by hand."""

from collections.abc import Callable
from typing import Any

from sklearn.utils.validation import check_is_fitted

from wellposed import explore

from .data.rows import check_labels


def explored(
    vae: Any,
    X: Any = None,
    *,
    labels: Any = None,
    port: int = 0,
    most_rows: int = explore.MOST_ROWS,
    on_ready: Callable[[str], object] = print,
) -> None:
    """Serve the page; see :meth:`wellposed.VAE.explore`."""
    explore.check_installed()
    check_is_fitted(vae)
    explore.check_model(vae)
    rows = None if X is None else vae._rows(X)
    if rows is not None:
        check_labels(labels, len(rows))
    scene = explore.make_scene(vae, rows, labels, key=vae._key("score"), most_rows=most_rows)
    explore.serve(scene, port=port, on_ready=on_ready)
