"""The figure of the demo."""

from collections.abc import Sequence

import numpy as np

from ._axes import headed
from ._images import images
from ._plane import latent_plane
from ._reconstructions import reconstructions
from ._tiles import limits_of
from .canvas import Figure

_COLUMNS = 10
_WORDS = (
    (
        "Draws from the model, x ~ p(x | z)",
        "z from the prior, then each pixel's noise; shown within the data's range",
    ),
    ("The means μ(z) of the same z", "without noise: usually shown as samples"),
    (
        "Held-out data and their reconstructions",
        "model: μ(z) at the posterior mean of z",
    ),
    ("The two most active latents", "each numeral is the posterior mean of one held-out datum"),
)


def demo_figure(
    *,
    ancestral: np.ndarray,
    mean: np.ndarray,
    data: np.ndarray,
    reconstructed: np.ndarray,
    latents: np.ndarray,
    image_shape: Sequence[int],
    labels: np.ndarray | None = None,
    rates: np.ndarray | None = None,
    prior: np.ndarray | None = None,
) -> Figure:
    """Compose samples, reconstructions and the latent plane.

    Draws from p(x | z) are next to the means μ(z) of the same z. The draws are samples of the
    model; most published figures show the means.

    Parameters
    ----------
    ancestral, mean : arrays of shape (m, d), made from the same z; data units
    data, reconstructed : arrays of shape (r, d), data units
    latents : array of shape (n, k), posterior means
    image_shape : (H, W), (H, W, 1) or (H, W, 3)
    labels : array of shape (n,), classes of ``latents``
    rates : array of shape (k,), nats: mean rate of each latent
    prior : array of shape (m, k), draws of p(z); None if it is N(0, I)

    Returns
    -------
    Figure of 12 × 7.8 inches: 1200 pixels wide at 100 dots an inch

    Examples
    --------
    >>> pixels = np.zeros((16, 4))
    >>> figure = demo_figure(
    ...     ancestral=pixels, mean=pixels, data=pixels, reconstructed=pixels,
    ...     latents=np.zeros((5, 2)), image_shape=(2, 2),
    ... )
    >>> len(figure.axes) > 0
    True
    """
    figure = Figure((12, 7.8), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)  # type: ignore[union-attr]
    places = figure.subplots(2, 2, height_ratios=(2.15, 3.85))
    # All images have the data's scale of greys: a draw outside it is shown as white or black.
    shared = {"limits": limits_of(np.asarray(data)), "n_columns": _COLUMNS}
    images(ancestral, image_shape, ax=places[0, 0], **shared)
    images(mean, image_shape, ax=places[0, 1], **shared)
    reconstructions(data, reconstructed, image_shape, ax=places[1, 0], **shared)
    latent_plane(latents, labels=labels, rates=rates, prior=prior, ax=places[1, 1])
    for ax, words in zip(places.flat, _WORDS, strict=True):
        ax.set_anchor("NW")
        headed(ax, *words)
    return figure
