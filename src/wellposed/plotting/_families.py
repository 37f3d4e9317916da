"""Comparison of noise families on the same data."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from wellposed._errors import DataError, unknown_name
from wellposed._text import no_tex

from ._tiles import GAP, as_images, limits_of, tile
from .canvas import Axes, Figure

# Groups of columns, in order, and their headings.
GROUPS = {
    "data": "data",
    "reconstructions": "reconstructions",
    "ancestral": "draws  x ~ p(x | z)",
    "mean": "means  μ(z)",
    "coupled_low": "coupled  α = −1",
    "coupled_high": "coupled  α = +1",
}
_WIDTH = 14.0  # inches: 1400 pixels at 100 dots an inch
_HEAD, _MARGIN, _LETTER = 0.35, 0.3, 0.075  # inches: above, beside the images; of a label
_GROUP_GAP, _FAMILY_GAP = 0.6, 0.35  # as shares of an image's width and height


def families(
    rows: Sequence[tuple[str, Mapping[str, np.ndarray]]],
    image_shape: Sequence[int],
    *,
    n_columns: int = 4,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Compare noise families: one row each, with data, reconstructions and three kinds of samples.

    Parameters
    ----------
    rows : pairs of a family's name and its arrays of shape (m, d), data units, by the names
        "data", "reconstructions", "ancestral", "mean", "coupled_low" (α = −1) and "coupled_high"
        (α = +1). The place of a missing array is empty.
    image_shape : (H, W), (H, W, 1) or (H, W, 3), with H·W·C = d
    n_columns : images in a line of a group; further images are on the next lines
    limits : values shown as white and as black, for all families; by default the smallest and
        largest of the data, so that values of a draw beyond them are white or black

    Returns
    -------
    Figure, 14 inches wide

    Raises
    ------
    DataError
        If there is no image to draw, or a row is no image of that shape.
    SettingError
        If an array has an unknown name.

    Examples
    --------
    >>> arrays = {"data": np.eye(4), "mean": np.ones((4, 4))}
    >>> len(families([("Gaussian", arrays)], (2, 2)).axes[0].images)
    8
    """
    pictures = _pictures(rows, image_shape)
    given = [group for _, groups in pictures for group in groups.values()]
    if not given:
        raise DataError("There must be images to draw; got none. Pass arrays for one family.")
    data = [groups["data"] for _, groups in pictures if "data" in groups]
    shown = [name for name in GROUPS if any(name in groups for _, groups in pictures)]
    height, width = given[0].shape[1:3]
    lefts = np.arange(len(shown)) * width * (n_columns * (1 + GAP) + _GROUP_GAP)
    right = lefts[-1] + n_columns * width * (1 + GAP)
    in_order = [[groups.get(name, given[0][:0]) for name in shown] for _, groups in pictures]
    corners, tops = _places(in_order, lefts, n_columns, height, width)
    ax = _axes(tops[-1] / right, [name for name, _ in pictures])
    everything = np.concatenate([images for groups in in_order for images in groups])
    tile(ax, everything, corners, limits or limits_of(*(data or given)))
    ax.set(xlim=(0, right), ylim=(tops[-1], 0))
    middles = [(a + b - _FAMILY_GAP * height) / 2 for a, b in itertools.pairwise(tops)]
    ax.set_yticks(middles, [no_tex(name) for name, _ in pictures], fontsize=10)
    ax.tick_params(length=0, pad=8)
    for name, left in zip(shown, lefts, strict=True):
        ax.annotate(GROUPS[name], (left, 0), (0, 6), textcoords="offset points", fontsize=10)
    return ax.figure  # type: ignore[return-value]


def _pictures(
    rows: Sequence[tuple[str, Mapping[str, np.ndarray]]], image_shape: Sequence[int]
) -> list[tuple[str, dict[str, np.ndarray]]]:
    for name in (name for _, arrays in rows for name in arrays):
        if name not in GROUPS:
            raise unknown_name("A family's array", name, GROUPS)
    return [
        (family, {name: as_images(values, image_shape) for name, values in arrays.items()})
        for family, arrays in rows
    ]


def _places(
    in_order: list[list[np.ndarray]], lefts: np.ndarray, n_columns: int, height: int, width: int
) -> tuple[np.ndarray, list[float]]:
    """Corners of all images, family by family and group by group; top of each family."""
    corners, tops = [], [0.0]
    for groups in in_order:
        for images, left in zip(groups, lefts, strict=True):
            line, column = np.divmod(np.arange(len(images)), n_columns)
            places = left + column * width * (1 + GAP), tops[-1] + line * height * (1 + GAP)
            corners.append(np.stack(places, axis=1))
        lines = -(-max(map(len, groups)) // n_columns)
        tops.append(tops[-1] + height * (lines * (1 + GAP) + _FAMILY_GAP))
    return np.concatenate(corners), tops


def _axes(aspect: float, labels: list[str]) -> Axes:
    """Axes below the headings and right of the labels; ``aspect`` is height over width."""
    letters = max(len(line) for label in labels for line in label.split("\n"))
    beside = _MARGIN + _LETTER * letters
    across = _WIDTH - beside
    height = _HEAD + across * aspect
    figure = Figure((_WIDTH, height))
    return figure.add_axes((beside / _WIDTH, 0.0, across / _WIDTH, 1 - _HEAD / height))
