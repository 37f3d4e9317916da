"""A model of classes whose log p(x, y) is known: N(x | Wz + M_y, σ²) with z ~ N(0, 1)."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from wellposed.latents import DiagonalNormal, StandardNormal
from wellposed.models import VAEModel
from wellposed.models.labelled import AuxiliaryEncoder, Classes, LabelledVAE
from wellposed.nn import Linear, MakeMLP
from wellposed.noise import Gaussian
from wellposed.numerics import inverse_positive
from wellposed.transforms import Identity

D, C, VARIANCE = 4, 3, 0.3
RNG = np.random.default_rng(1)
WEIGHT = RNG.normal(size=(1, D))
MEANS = 1.5 * RNG.normal(size=(C, D))
LOG_PRIOR = np.log([0.5, 0.3, 0.2])
COVARIANCE = WEIGHT.T @ WEIGHT + VARIANCE * np.eye(D)


def vae(encoder, decoder, k=1) -> VAEModel:
    return VAEModel(
        transform=Identity(),
        prior=StandardNormal(k),
        encoder=encoder,
        posterior=DiagonalNormal(),
        decoder=decoder,
        noise=Gaussian(VARIANCE),
    )


def exact_model() -> LabelledVAE:
    """Both approximate posteriors are exact: linear in x and y, and linear logits."""
    precision = 1 + (WEIGHT @ WEIGHT.T).item() / VARIANCE
    gain = WEIGHT.T / VARIANCE / precision  # (d, 1)
    means = np.concatenate([gain, -MEANS @ gain])
    encoder = np.concatenate([means, np.zeros_like(means)], axis=1)
    spread = float(inverse_positive(np.asarray(precision**-0.5)))
    whitened = np.linalg.solve(COVARIANCE, MEANS.T)
    logits = LOG_PRIOR - 0.5 * (MEANS * whitened.T).sum(axis=1)
    return LabelledVAE(
        vae(
            Linear(jnp.asarray(encoder), jnp.asarray([0.0, spread])),
            Linear(jnp.asarray(np.concatenate([WEIGHT, MEANS])), jnp.zeros(D)),
        ),
        Linear(jnp.asarray(whitened), jnp.asarray(logits)),
        Classes(jnp.asarray(LOG_PRIOR), learned=False),
    )


def random_model(key=0, *, learned=False, k=2) -> LabelledVAE:
    """Networks at random, of no known density."""
    keys = jax.random.split(jax.random.key(key), 3)
    return LabelledVAE(
        vae(
            MakeMLP((7,), "tanh")(D + C, 2 * k, key=keys[0]),
            MakeMLP((5,), "tanh")(k + C, D, key=keys[1]),
            k,
        ),
        MakeMLP((6,), "tanh")(D, C, key=keys[2]),
        Classes(jnp.asarray(LOG_PRIOR), learned=learned),
    )


def auxiliary_model(key=0, decoder=None, slope=8.0) -> LabelledVAE:
    """z and a of one dimension each, and networks at random; with this slope, a matters much."""
    keys = jax.random.split(jax.random.key(key), 5)

    def net(n_in, n_out, key):
        made = MakeMLP((6,), "tanh")(n_in, n_out, key=key)
        return eqx.tree_at(lambda n: n.layers[-1].weight, made, replace_fn=lambda w: slope * w)

    encoder = AuxiliaryEncoder(net(D, 2, keys[0]), net(D + C + 1, 2, keys[1]), D)
    return LabelledVAE(
        vae(encoder, net(1 + C, D, keys[2]) if decoder is None else decoder),
        net(D + 1, C, keys[3]),
        Classes(jnp.asarray(LOG_PRIOR), learned=False),
        auxiliary=net(D + C + 1, 2, keys[4]),
    )


def idle_auxiliary_model() -> LabelledVAE:
    """The exact model beside an a that no other network uses; p(a | x, y, z) = q(a | x)."""
    exact, weight = exact_model(), 0.5 * RNG.normal(size=(D, 2))
    bias, encoder = jnp.array([0.3, -0.4]), exact.vae.encoder

    def widened(network, n):
        """A network of n further inputs, without use."""
        rows = jnp.zeros((n, network.weight.shape[1]))
        return Linear(jnp.concatenate([network.weight, rows]), network.bias)

    first = Linear(jnp.asarray(weight), bias)
    through = AuxiliaryEncoder(first, widened(encoder, 1), D)
    return LabelledVAE(
        vae(through, exact.vae.decoder),
        widened(exact.classifier, 1),
        exact.labels,
        auxiliary=widened(first, C + 1),
    )


def draw(n: int, seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Rows and their classes."""
    rng = np.random.default_rng(seed)
    y = rng.choice(C, size=n, p=np.exp(LOG_PRIOR))
    x = MEANS[y] + rng.multivariate_normal(np.zeros(D), COVARIANCE, size=n)
    return x, y


def log_joint(x: np.ndarray) -> np.ndarray:
    """log p(x, y) of each row and class, shape (n, C)."""
    each = [multivariate_normal(mean, COVARIANCE).logpdf(x) for mean in MEANS]
    return np.stack(each, axis=1) + LOG_PRIOR


def log_density(x: np.ndarray) -> np.ndarray:
    return logsumexp(log_joint(x), axis=1)


def with_labels(x: np.ndarray, y: np.ndarray, known: int) -> np.ndarray:
    """Rows with their labels, of which the first ``known`` are known."""
    labels = np.where(np.arange(len(y)) < known, y, np.nan)
    return np.concatenate([x, labels[:, None]], axis=1)
