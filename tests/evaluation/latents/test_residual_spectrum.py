"""Whether a collapsed latent could become active, against linear models with known residuals."""

import equinox as eqx
import jax
import numpy as np
import pytest

import wellposed as wp
from linear_gaussian import exact_model, rows_of
from textbook import textbook_vae
from wellposed import evaluation, nn

SIGMA2 = 0.3


def with_a_further_direction(variance, n=8_000):
    """Rows of the solved model plus ``variance`` along a direction that it leaves to the noise."""
    model, density = exact_model(d=5, k=2, variance=SIGMA2)
    values, vectors = np.linalg.eigh(density.cov)
    rows = rows_of(density, n)
    extra = np.random.default_rng(5).normal(size=(n, 1)) * np.sqrt(max(variance, 0))
    return model, rows + extra * vectors[:, 0], values[::-1]


@pytest.mark.parametrize("extra", [0.3, 0.05])
def test_the_spectrum_of_a_linear_model_is_known(x64, extra):
    """λ/σ² in directions left to the noise, σ²/λ in those that a latent takes up."""
    model, rows, values = with_a_further_direction(extra)
    found = evaluation.residual_spectrum(model, rows, key=jax.random.key(0))
    unmodelled = [(SIGMA2 + extra) / SIGMA2, 1.0, 1.0]
    expected = np.sort(np.concatenate([unmodelled, SIGMA2 / values[:2]]))[::-1]
    np.testing.assert_allclose(found.eigenvalues, expected, rtol=0.08)
    assert abs(found.leading - expected[0]) < 4 * found.standard_error
    assert found.has_room


def test_pure_noise_is_not_taken_for_a_direction(x64):
    """The first eigenvalue is above one by chance; its direction on other rows is not."""
    model, density = exact_model(d=5, k=2, variance=SIGMA2)
    rows = rows_of(density, 200)
    found = evaluation.residual_spectrum(model, rows, key=jax.random.key(0))
    assert found.eigenvalues[0] > 1.05
    assert not found.has_room


def test_beta_is_the_threshold(x64):
    model, rows, _ = with_a_further_direction(0.3)  # twice the noise variance
    key = jax.random.key(0)
    assert evaluation.residual_spectrum(model, rows, beta=1.5, key=key).has_room
    priced_out = evaluation.residual_spectrum(model, rows, beta=2.6, key=key)
    assert not priced_out.has_room
    assert "stay collapsed" in str(priced_out)


def test_posterior_noise_does_not_pass_for_structure(x64):
    """An encoder four times too wide spreads each residual, and leaves their mean where it was."""
    model, density = exact_model(d=5, k=2, variance=SIGMA2, spread=4.0)
    found = evaluation.residual_spectrum(model, rows_of(density, 8_000), key=jax.random.key(0))
    assert found.eigenvalues[0] < 1.1
    assert not found.has_room


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning")
@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_the_criterion_decides_a_real_training(digits):
    """At σ² = 5 three directions exceed the noise: one latent leaves room, four none."""
    settings = {"noise": 5.0, "image_shape": (8, 8), "hidden": (64,), "random_state": 0}
    one = textbook_vae(1, max_epochs=60, **settings).fit(digits[:1400])
    assert one.residual_spectrum(digits[1400:]).has_room
    four = textbook_vae(4, max_epochs=200, **settings).fit(digits[:1400])
    assert not four.residual_spectrum(digits[1400:]).has_room
    assert "stay collapsed" in str(four.residual_spectrum(digits[1400:]))


def test_too_few_rows_are_refused():
    model, density = exact_model()
    with pytest.raises(wp.DataError, match="eight rows"):
        evaluation.residual_spectrum(model, rows_of(density, 7), key=jax.random.key(0))


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_levels_that_depend_on_each_other_have_room_whatever_their_order():
    """One plus the canonical correlation, here one: the second is |position − 1| of the first.

    Their positions are not correlated.
    """
    first = np.tile([0, 1, 2], 200)
    rows = np.stack([first, np.abs(first - 1)], axis=1).astype(float)
    assert np.corrcoef(rows.T)[0, 1] == pytest.approx(0)
    noise = wp.noise.Columns(["categorical", "categorical"])
    model = textbook_vae(1, noise=noise, max_epochs=1, random_state=0).fit(rows).model_
    shares = eqx.tree_at(lambda m: m.decoder, model, nn.with_zero_output(model.decoder))
    found = evaluation.residual_spectrum(shares, rows, key=jax.random.key(0))
    assert found.eigenvalues[0] == pytest.approx(2.0, abs=0.01)
    assert found.has_room
