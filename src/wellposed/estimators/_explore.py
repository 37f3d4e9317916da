"""A page to look into a fitted model by hand."""

from collections.abc import Callable
from typing import Any

from sklearn.utils.validation import check_is_fitted

from wellposed import explorer

from .data.rows import check_labels


def explore(
    vae: Any,
    X: Any = None,
    *,
    labels: Any = None,
    port: int = 0,
    most_rows: int = explorer.MOST_ROWS,
    on_ready: Callable[[str], object] = print,
) -> None:
    """Serve the page; see :meth:`wellposed.VAE.explore`."""
    explorer.check_installed()
    check_is_fitted(vae)
    explorer.check_model(vae)
    rows = None if X is None else vae._rows(X)
    if rows is not None:
        check_labels(labels, len(rows))
    scene = explorer.make_scene(vae, rows, labels, key=vae._key("score"), most_rows=most_rows)
    explorer.serve(scene, port=port, on_ready=on_ready)
