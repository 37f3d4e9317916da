"""Latents in lengths of the rows that they decode to: the closed form of a linear decoder."""

from types import SimpleNamespace

import equinox as eqx
import jax
import numpy as np
from scipy.spatial.distance import pdist

from wellposed.estimators.few_labels.lengths import map_to_lengths


class LinearDecoder(eqx.Module):
    weight: jax.Array
    variance: jax.Array
    n_covariates: int = eqx.field(static=True, default=0)

    def decode(self, z):
        return SimpleNamespace(mean=1.0 + self.weight @ z, variance=self.variance)


def test_distances_are_those_of_the_decoded_rows_in_their_deviations():
    rng = np.random.default_rng(0)
    weight, variance = rng.normal(size=(5, 3)), rng.uniform(0.1, 1.0, size=5)
    mean = rng.normal(size=(300, 3))
    model = LinearDecoder(*(jax.device_put(part) for part in (weight, variance)))
    found = map_to_lengths(model, mean, np.zeros_like(mean), key=jax.random.key(0))
    decoded = mean @ weight.T
    expected = decoded / np.sqrt(decoded.var(axis=0) + variance)
    np.testing.assert_allclose(pdist(mean @ found), pdist(expected), rtol=1e-4)


def test_a_latent_that_decodes_to_nothing_has_no_length():
    rng = np.random.default_rng(1)
    weight = np.stack([rng.normal(size=4), np.zeros(4)], axis=1)
    model = LinearDecoder(jax.device_put(weight), jax.device_put(np.full(4, 0.1)))
    mean = np.stack([rng.normal(size=500), 0.01 * rng.normal(size=500)], axis=1)
    scale = np.tile([0.1, 1.0], (500, 1))  # the second is collapsed
    moved = map_to_lengths(model, mean, scale, key=jax.random.key(0))
    lengths = np.linalg.norm(moved, axis=1)
    assert lengths[1] < 0.05 * lengths[0]
