"""The causal half of a window, against plain loops."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import wellposed as wp
from wellposed.noise.causal.window import Window

GRIDS = [((5, 4), 3), ((6, 7), 5), ((4, 5, 2), 3), ((3, 3, 3), 3), (None, 5), (None, 3)]


def features(shape) -> int:
    return 12 if shape is None else int(np.prod(shape))


def by_loops(values: np.ndarray, window: Window) -> np.ndarray:
    """Neighbours feature by feature: rows above, then the left, then earlier channels."""
    height, width, channels = window.grid
    image, reach = values.reshape(window.grid), window.size // 2
    rows = []
    for y, x, c in np.ndindex(*window.grid):
        near = []
        for dy in range(-min(reach, height - 1), 1):
            for dx in range(-reach, reach + 1):
                if dy == 0 and dx >= 0:
                    break
                inside = y + dy >= 0 and 0 <= x + dx < width
                near.extend(image[y + dy, x + dx] if inside else np.zeros(channels))
        near.extend(image[y, x, e] if e < c else 0.0 for e in range(channels - 1))
        rows.append(near)
    return np.array(rows)


@pytest.mark.parametrize(("shape", "size"), GRIDS, ids=str)
def test_neighbours_are_those_drawn_before(shape, size):
    d = features(shape)
    window = Window(size, shape, d)
    values = np.random.default_rng(0).normal(size=d).astype(np.float32)
    np.testing.assert_array_equal(window.neighbours(jnp.asarray(values)), by_loops(values, window))


@pytest.mark.parametrize(("shape", "size"), GRIDS, ids=str)
def test_the_raster_sees_the_same_neighbours(shape, size):
    """Filling with given values, each feature is shown exactly what ``neighbours`` gathers."""
    d = features(shape)
    window = Window(size, shape, d)
    values = jax.random.normal(jax.random.key(0), (d,))
    probe = jax.random.normal(jax.random.key(1), (window.n_neighbours,))
    seen = window.raster(lambda i, near: (probe @ near, values[i]))
    np.testing.assert_allclose(seen, window.neighbours(values) @ probe, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [2, 1, 4, 3.0, True, "5"])
def test_a_size_must_be_odd_and_three_or_more(size):
    with pytest.raises(wp.SettingError, match="odd whole number"):
        wp.noise.CausalGaussian(size)
    with pytest.raises(wp.SettingError, match="odd whole number"):
        wp.noise.CausalLogistic(8, size)


@pytest.mark.parametrize(("shape", "d"), [((8, 4), 32), (None, 4), ((4, 8, 3), 96)])
def test_a_window_larger_than_the_datum_is_refused(shape, d):
    with pytest.raises(wp.SettingError, match="odd number up to 3"):
        Window(5, shape, d)


def test_a_shape_must_multiply_to_the_features():
    with pytest.raises(wp.SettingError, match="image_shape"):
        Window(3, (4, 4), 17)
