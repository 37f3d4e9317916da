"""The causal half of a window: which features a feature's noise may depend on, and the raster."""

import math
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from wellposed._checks import Rule, check, whole
from wellposed._errors import SettingError
from wellposed._typing import Point, Scalar


class Window(eqx.Module):
    """Neighbours drawn before a feature, inside a square window centred at it.

    Features are the pixels of an image, row by row with channels last, and are drawn in that
    order. Those of a vector are the pixels of an image one pixel high. A feature's neighbours are
    the pixels of its window in the rows above, those to its left, and the channels before it at
    its own pixel: ``n_neighbours`` places, empty ones among them holding zero.

    Parameters
    ----------
    size : odd whole number ≥ 3, the side of the window
    image_shape : (H, W), (H, W, C), or None for a vector of d features
    d : number of features

    Raises
    ------
    SettingError
        If the size is even or below three, the window is larger than the image, or the image's
        shape does not multiply to d.
    """

    size: int = eqx.field(static=True)
    grid: tuple[int, ...] = eqx.field(static=True)  # H, W, C

    def __init__(self, size: int, image_shape: tuple[int, ...] | None, d: int):
        check_size(size)
        shape = (1, d, 1) if image_shape is None else tuple(int(s) for s in image_shape)
        self.size, self.grid = size, (*shape, 1) if len(shape) == 2 else shape
        if math.prod(self.grid) != d:
            raise SettingError(
                f"image_shape must multiply to the number of features; {image_shape} gives "
                f"{math.prod(self.grid)}, the data have {d}. Correct image_shape, or leave it out "
                "for features along a line."
            )
        side = self.grid[1] if image_shape is None else min(self.grid[:2])
        if size > side:
            what = f"{d} features along a line" if image_shape is None else f"images {image_shape}"
            raise SettingError(
                f"window must fit into the datum; got {size} for {what}. "
                f"Take an odd number up to {side - 1 + side % 2}."
            )

    @property
    def reach(self) -> int:
        """Pixels to each side."""
        return self.size // 2

    @property
    def _above(self) -> int:
        """Rows above that are in the window: none along a line."""
        return min(self.reach, self.grid[0] - 1)

    @property
    def _n_pixels(self) -> int:
        return self._above * self.size + self.reach

    @property
    def n_neighbours(self) -> int:
        """Neighbours of one feature."""
        channels = self.grid[2]
        return self._n_pixels * channels + channels - 1

    def neighbours(self, values: Point) -> Float[Array, "d neighbours"]:
        """Gather every feature's neighbours from a whole datum."""
        height, width, channels = self.grid
        above, reach = self._above, self.reach
        image = values.reshape(height, width, channels)
        padded = jnp.pad(image, ((above, 0), (reach, reach), (0, 0)))
        places = [divmod(place, self.size) for place in range(self._n_pixels)]
        before = [padded[y : y + height, x : x + width] for y, x in places]
        earlier = [
            # Channels before this one at its own pixel.
            jnp.where(np.arange(channels) > c, image[..., c : c + 1], 0.0)
            for c in range(channels - 1)
        ]
        shared = jnp.concatenate(before, axis=-1)[:, :, None, :]
        shared = jnp.broadcast_to(shared, (height, width, channels, shared.shape[-1]))
        own = [e[..., None] for e in earlier]
        return jnp.concatenate([shared, *own], axis=-1).reshape(-1, self.n_neighbours)

    def raster(
        self, draw: Callable[[Array, Float[Array, " neighbours"]], tuple[Scalar, Scalar]]
    ) -> Point:
        """Fill a datum feature by feature, in one scan.

        ``draw(index, neighbours)`` returns the feature's value and its value as a neighbour.
        """
        height, width, channels = self.grid
        above, reach = self._above, self.reach

        def visit(canvas: Array, pixel: Array) -> tuple[Array, Array]:
            y, x = pixel // width, pixel % width
            patch = jax.lax.dynamic_slice(
                canvas, (y, x, 0), (above + 1, self.size, channels)
            ).reshape(-1, channels)
            before = patch[: self._n_pixels].reshape(-1)
            values, as_neighbours = [], []
            for c in range(channels):
                rest = jnp.zeros(channels - 1 - c, canvas.dtype)
                context = jnp.concatenate([before, *(s[None] for s in as_neighbours), rest])
                value, as_neighbour = draw(pixel * channels + c, context)
                values.append(value)
                as_neighbours.append(as_neighbour)
            drawn = jnp.stack(as_neighbours)[None, None]
            canvas = jax.lax.dynamic_update_slice(canvas, drawn, (y + above, x + reach, 0))
            return canvas, jnp.stack(values)

        canvas = jnp.zeros((height + above, width + 2 * reach, channels))
        _, values = jax.lax.scan(visit, canvas, jnp.arange(height * width))
        return values.reshape(-1)


def check_size(size: int) -> None:
    """Raise :class:`SettingError` unless ``size`` is an odd whole number from 3 upwards."""
    rule = Rule("an odd whole number ≥ 3", lambda v: whole(3).allows(v) and v % 2 == 1)
    check("window", size, rule, "It is the side of a square centred at the feature; 5 is a start.")
