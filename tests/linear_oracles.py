"""The linear VAE and pPCA written out once more, for tests: plain formulas, not the library's."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize_scalar

from wellposed.models import Covariance, Spectrum, eigendecompose

LOG_2PI = np.log(2 * np.pi)


def with_eigenvalues(values, seed: int = 0, mean=None) -> Covariance:
    """A covariance with these eigenvalues and random eigenvectors."""
    values = np.asarray(values, float)
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    matrix = (turn * values) @ turn.T
    mean = rng.normal(size=len(values)) if mean is None else mean
    return Covariance(mean, (matrix + matrix.T) / 2, n_rows=1_000)


def of_rows(rows) -> Covariance:
    """Mean and covariance (1/n) of rows."""
    rows = np.asarray(rows, np.float64)
    centred = rows - rows.mean(axis=0)
    return Covariance(rows.mean(axis=0), centred.T @ centred / len(rows), n_rows=len(rows))


def spectrum_of(values, seed: int = 0) -> Spectrum:
    """The spectrum of :func:`with_eigenvalues`."""
    return eigendecompose(with_eigenvalues(values, seed))


@jax.jit
def log_likelihood(weight, variance, s):
    """Mean log p(x) of pPCA over data with covariance S: ½ log det and trace of C⁻¹S."""
    d = len(s)
    c = weight @ weight.T + variance * jnp.eye(d)
    return -0.5 * (d * LOG_2PI + jnp.linalg.slogdet(c)[1] + jnp.trace(jnp.linalg.solve(c, s)))


@jax.jit
def objective(weight, encoder, log_spread, log_variance, s, beta=1.0):
    """E_q log p(x|z) − β KL through the residual map I − WV, which leaves (I − WV)S(I − WV)ᵀ."""
    d, k = weight.shape
    spread, variance = jnp.exp(log_spread), jnp.exp(log_variance)
    residual = jnp.eye(d) - weight @ encoder
    error = jnp.trace(residual @ s @ residual.T)
    error = error + jnp.trace(weight @ jnp.diag(spread) @ weight.T)
    means = jnp.trace(encoder @ s @ encoder.T)
    kl = 0.5 * (jnp.sum(spread) + means - k - jnp.sum(log_spread))
    return -0.5 * d * (LOG_2PI + log_variance) - 0.5 * error / variance - beta * kl


@jax.jit
def profile(weight, variance, s, beta=1.0):
    """The objective with q at its best for W and σ², by the normal equations of V and D."""
    k = weight.shape[1]
    gram = weight.T @ weight
    threshold = beta * variance
    encoder = jnp.linalg.inv(gram + threshold * jnp.eye(k)) @ weight.T
    spread = threshold / (jnp.diag(gram) + threshold)
    return objective(weight, encoder, jnp.log(spread), jnp.log(variance), s, beta)


def hadamard_gap(weight, variance):
    """½ [Σ log M_ii − log det M], M = WᵀW + σ²I."""
    m = np.asarray(weight).T @ np.asarray(weight) + variance * np.eye(weight.shape[1])
    return 0.5 * (np.log(np.diag(m)).sum() - np.linalg.slogdet(m)[1])


def least_loss(eigenvalues, d, k, variance, beta=1.0):
    """Wang & Ziyin (2022), corollary 2, made a mean log density by its constant.

    ``variance`` may be an array.
    """
    top = np.sort(eigenvalues)[::-1][:k]
    variance = np.asarray(variance)
    share = beta * variance[..., None] / top
    alive = share < 1
    share = np.where(alive, share, 1.0)
    kept = np.sum(alive * top * (1 + share * (np.log(share) - 1)), axis=-1)
    loss = (np.sum(eigenvalues) - kept) / (2 * variance)
    return -loss - 0.5 * d * (LOG_2PI + np.log(variance))


def best_variance(eigenvalues, d, k, beta, floor=0.0):
    """Maximise :func:`least_loss` over σ² ≥ floor², brute force: a grid, then golden sections."""
    eigenvalues = np.asarray(eigenvalues, float)

    def value(log_variance):
        return least_loss(eigenvalues, d, k, np.exp(log_variance), beta)

    lowest = max(1e-5 * eigenvalues.max(), floor**2)
    grid = np.linspace(np.log(lowest), np.log(max(2 * eigenvalues.max(), 2 * lowest)), 4001)
    at = int(np.argmax(value(grid)))
    found = minimize_scalar(
        lambda t: -value(t),
        bounds=(grid[max(at - 1, 0)], grid[min(at + 1, len(grid) - 1)]),
        method="bounded",
        options={"xatol": 1e-13},
    )
    # The search never touches the ends of its interval, and a floor is one.
    top = max(found.x, grid[at], key=value)
    return float(np.exp(top)), float(value(top))


def active_sets(d: int, k: int):
    """Every set of at most k of d directions."""
    for size in range(k + 1):
        yield from itertools.combinations(range(d), size)


def best_encoder(weight, variance, beta=1.0):
    """V and D by the normal equations."""
    gram = weight.T @ weight
    threshold = beta * variance
    m = gram + threshold * np.eye(len(gram))
    return np.linalg.inv(m) @ weight.T, threshold / np.diag(m)


def hessian(function, point):
    """Second derivatives of a function of a flat array, column by column.

    ``jax.hessian`` solves for all columns in one batch, and jaxlib 0.10 never returns from a
    program in which two LAPACK calls, each over a batch, run at once on as many threads.
    """
    slope = jax.grad(function)
    return jax.lax.map(lambda v: jax.jvp(slope, (point,), (v,))[1], jnp.eye(point.size))


@partial(jax.jit, static_argnums=(0,))
def surroundings(function, point, *given):
    """Slope and Hessian of a function of a flat array: compiled once for each function."""

    def at(point):
        return function(point, *given)

    return jax.grad(at)(point), hessian(at, point)


@jax.jit
def bends(weight, columns, directions, variance, s, beta=1.0):
    """Second derivatives of the likelihood and of the profile, as W[:, column] moves along u."""

    def one(given):
        column, direction = given

        def perturb(t):
            return weight.at[:, column].add(t[0] * direction)

        still = jnp.zeros(1)
        return (
            hessian(lambda t: log_likelihood(perturb(t), variance, s), still)[0, 0],
            hessian(lambda t: profile(perturb(t), variance, s, beta), still)[0, 0],
        )

    return jax.lax.map(one, (columns, directions))
