"""σ-accounting, against the losses of other libraries and against our own ELBO's gradients."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import wellposed as wp
from linear_gaussian import exact_model, rows_of, with_bias
from wellposed.evaluation import implied_noise_variance
from wellposed.noise import Gaussian
from wellposed.objectives import elbo_terms

CELEBA, CIFAR, SVHN = 3 * 64 * 64, 3 * 32 * 32, 3 * 28 * 28

# What each library's loss is, and the σ² and β that follow from it by hand.
LOSSES = {
    "pythae from 0.1.2": ({"reduction": "sum", "half": True}, 1.0, 1.0),
    "pythae up to 0.1.1, in training": ({"reduction": "sum"}, 0.5, 0.5),
    "pythae BetaVAE, β = 4": ({"reduction": "sum", "half": True, "kl_weight": 4.0}, 4.0, 4.0),
    "PyTorch-VAE, in training": (
        {"reduction": "mean", "kl_weight": 0.00025, "n_features": CELEBA},
        1.536,
        1.536,
    ),
    "PyTorch-VAE, in validation": ({"reduction": "mean", "n_features": CELEBA}, 6144.0, 6144.0),
    "sigma-vae-pytorch mse_vae, batches of 128": (
        {"reduction": "mean", "kl_weight": 128.0, "n_features": SVHN},
        150_528.0,
        150_528.0,
    ),
    "disentanglement_lib, β = 4": ({"reduction": "sum", "kl_weight": 4.0}, 2.0, 2.0),
    "disentangling-vae, gaussian": ({"reduction": "sum", "scale": 255.0}, 1 / 510, 1 / 510),
    "lightning-bolts": (
        {
            "reduction": "mean",
            "kl_weight": 0.1,
            "kl_reduction": "mean",
            "n_features": CIFAR,
            "n_latents": 256,
        },
        0.6,
        0.6,
    ),
    "alibi-detect, 8 latents": (
        {"reduction": "sum", "noise_variance": 0.05**2, "kl_reduction": "mean", "n_latents": 8},
        0.05**2 / 8,
        1 / 8,
    ),
    "PyOD, capacity 0": ({"reduction": "mean", "kl_weight": 0.0, "n_features": 30}, 0.0, 0.0),
    "tonyduan, 2 latents": (
        {"reduction": "sum", "noise_variance": 3.0, "kl_reduction": "mean", "n_latents": 2},
        1.5,
        1 / 2,
    ),
    "CompressAI, λ = 0.01": (
        {
            "reduction": "mean",
            "scale": 0.01 * 255**2,
            "kl_weight": 1 / (256 * 256 * math.log(2)),
            "n_features": 3 * 256 * 256,
        },
        3 / (2 * 0.01 * 255**2 * math.log(2)),
        3 / (2 * 0.01 * 255**2 * math.log(2)),
    ),
}


@pytest.mark.parametrize(("loss", "variance", "beta"), LOSSES.values(), ids=LOSSES)
def test_the_losses_of_other_libraries(loss, variance, beta):
    found = implied_noise_variance(**loss)
    assert found.noise_variance == pytest.approx(variance, rel=1e-12)
    assert found.beta == pytest.approx(beta, rel=1e-12)
    assert found.stated_noise_variance == loss.get("noise_variance")


@pytest.mark.parametrize(
    ("name", "deviation", "digits"),
    [
        ("PyTorch-VAE, in training", 1.24, 2),
        ("PyTorch-VAE, in validation", 78, 0),
        ("disentangling-vae, gaussian", 0.044, 3),
        ("CompressAI, λ = 0.01", 0.058, 3),
        ("pythae BetaVAE, β = 4", math.sqrt(4), 12),
    ],
)
def test_standard_deviations_as_they_were_computed_elsewhere(name, deviation, digits):
    found = implied_noise_variance(**LOSSES[name][0])
    assert round(math.sqrt(found.noise_variance), digits) == deviation


D, K = 5, 2


def foreign_loss(
    model,
    x,
    key,
    *,
    reduction,
    kl_weight=1.0,
    half=False,
    kl_reduction="sum",
    scale=1.0,
    noise_variance=None,
):
    """Write a loss as others do, on the draw of z that our ELBO takes with this key."""
    transform_key, latent_key = jax.random.split(key)
    found = model.infer(x, key=transform_key)
    mean = model.decode(found.q.rsample(latent_key)).mean
    reduce = {"sum": jnp.sum, "mean": jnp.mean}
    if noise_variance is None:
        error = (x - mean) ** 2 * (0.5 if half else 1.0)
    else:
        log_p = jax.scipy.stats.norm.logpdf(x, mean, jnp.sqrt(noise_variance))
        error = -log_p
    kl = reduce[kl_reduction](model.prior.kl(found.q))
    return scale * reduce[reduction](error) + kl_weight * kl


@pytest.mark.parametrize(
    "loss",
    [
        {"reduction": "sum"},
        {"reduction": "sum", "half": True, "kl_weight": 3.0},
        {"reduction": "mean", "kl_weight": 0.01},
        {"reduction": "mean", "kl_weight": 0.2, "kl_reduction": "mean", "half": True},
        {"reduction": "sum", "scale": 255.0, "kl_weight": 7.0},
        {"reduction": "sum", "noise_variance": 0.3, "kl_weight": 0.5},
        {"reduction": "mean", "noise_variance": 0.3, "kl_reduction": "mean", "scale": 2.0},
    ],
    ids=str,
)
def test_gradients_are_those_of_the_elbo_at_the_implied_variance(loss, x64):
    """Away from any optimum, in every weight of encoder and decoder: so minimisers agree."""
    model, density = exact_model(D, K, spread=1.7)
    model = with_bias(model, 0.4)
    x, key = jnp.asarray(rows_of(density, 2)[0]), jax.random.key(3)
    found = implied_noise_variance(n_features=D, n_latents=K, **loss)

    def ours(nets):
        noisy = eqx.tree_at(
            lambda m: (m.encoder, m.decoder, m.noise),
            model,
            (*nets, Gaussian(found.noise_variance)),
        )
        return -elbo_terms(noisy, x, key=key).elbo

    def theirs(nets):
        return foreign_loss(
            eqx.tree_at(lambda m: (m.encoder, m.decoder), model, nets), x, key, **loss
        )

    nets = (model.encoder, model.decoder)
    wanted, got = (
        np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(jax.grad(f)(nets))])
        for f in (ours, theirs)
    )
    assert np.abs(wanted).min() > 0
    np.testing.assert_allclose(got, found.kl_weight * found.kl_share * wanted, rtol=1e-10)


@pytest.mark.parametrize("loss", [loss for loss, _, _ in LOSSES.values()], ids=LOSSES)
def test_the_kl_weight_for_a_variance_gives_that_variance(loss):
    found = implied_noise_variance(**loss)
    weight = found.kl_weight_at(0.123)
    again = implied_noise_variance(**{**loss, "kl_weight": weight})
    assert again.noise_variance == pytest.approx(0.123, rel=1e-12)


def test_what_it_says():
    said = str(implied_noise_variance(reduction="sum", kl_weight=4.0))
    assert "ELBO at σ² = 2, σ = 1.414" in said
    assert "β = 2" in said
    assert "no bound" not in said
    said = str(implied_noise_variance(reduction="sum", noise_variance=0.04, kl_weight=0.5))
    assert "stated σ² = 0.04" in said
    assert "β = 0.5, so its value is no bound" in said
    # A third of a sum over three is a mean: β is one but for rounding.
    one = implied_noise_variance(
        reduction="mean", n_features=3, noise_variance=0.1, kl_weight=1 / 3
    )
    assert one.beta < 1
    assert "no bound" not in str(one)


def test_no_weight_on_the_kl_is_no_likelihood():
    found = implied_noise_variance(reduction="mean", kl_weight=0.0, n_features=10)
    assert found.noise_variance == 0
    assert not found.has_likelihood
    assert "no likelihood" in str(found)
    assert "kl_weight = 0.2 times σ²" in str(found)
    assert implied_noise_variance(reduction="sum", kl_weight=1e-9).has_likelihood


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ({"reduction": "men"}, "reduction must be one of mean, sum; got 'men'.*'mean'"),
        ({"reduction": "sum", "kl_reduction": "max"}, "kl_reduction must be one of"),
        ({"reduction": "mean"}, "n_features must be given for reduction.*number of features"),
        ({"reduction": "sum", "kl_reduction": "mean"}, "n_latents must be given for kl_reduction"),
        ({"reduction": "mean", "n_features": 0}, "n_features must be a whole number ≥ 1; got 0"),
        (
            {"reduction": "mean", "n_features": 2.5},
            "n_features must be a whole number ≥ 1; got 2.5",
        ),
        ({"reduction": "sum", "n_latents": True}, "n_latents must be a whole number ≥ 1; got True"),
        (
            {"reduction": "sum", "kl_weight": -1.0},
            "kl_weight must be a finite number ≥ 0; got -1.0",
        ),
        ({"reduction": "sum", "kl_weight": math.inf}, "kl_weight must be"),
        ({"reduction": "sum", "kl_weight": "1"}, "kl_weight must be"),
        ({"reduction": "sum", "scale": 0.0}, "scale must be a finite number > 0; got 0.0"),
        ({"reduction": "sum", "noise_variance": 0.0}, "noise_variance must be a finite number > 0"),
        (
            {"reduction": "sum", "noise_variance": math.nan},
            "noise_variance must be a finite number > 0",
        ),
        ({"reduction": "sum", "noise_variance": 1.0, "half": True}, "leave half out"),
    ],
)
def test_settings_that_describe_no_loss(loss, message):
    with pytest.raises(wp.SettingError, match=message):
        implied_noise_variance(**loss)


def test_no_kl_weight_belongs_to_no_variance():
    with pytest.raises(wp.SettingError, match="noise_variance must be a finite number > 0"):
        implied_noise_variance(reduction="sum").kl_weight_at(0.0)
