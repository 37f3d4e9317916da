"""Figure of chapter 3: a diagonal q beside the exact posterior, and bounds of K weights."""

import numpy as np
from scipy.special import logsumexp
from scipy.stats import ortho_group
from sklearn.datasets import load_breast_cancer
from style import BLUE, GREEN, INK, RED, finish, panels, save

import wellposed as wp

X = load_breast_cancer().data
X = (X - X.mean(axis=0)) / X.std(axis=0)
ppca = wp.PPCA(6).fit(X)
W = ppca.components_.T @ ortho_group.rvs(6, random_state=0)
noise, (d, k) = ppca.noise_variance_, W.shape
M = W.T @ W + noise * np.eye(k)
covariance = noise * np.linalg.inv(M)
scale = np.sqrt(noise / np.diag(M))


def ellipse(matrix, radius):
    """Return the points at a Mahalanobis distance from zero, shape (2, 200)."""
    angle = np.linspace(0, 2 * np.pi, 200)
    return radius * np.linalg.cholesky(matrix) @ np.array([np.cos(angle), np.sin(angle)])


def bounds(width, sizes, n_draws=4096):
    """Mean over rows of log mean of K weights, less log p(x), for q of scales width·D^½."""
    rng = np.random.default_rng(0)
    rows = X[::6]
    means = np.linalg.solve(M, W.T @ rows.T).T
    steps = rng.standard_normal((n_draws, len(rows), k))
    z = means + width * scale * steps
    log_joint = -0.5 * (np.sum((rows - z @ W.T) ** 2, axis=-1) / noise + np.sum(z**2, axis=-1))
    log_joint -= 0.5 * (d * np.log(2 * np.pi * noise) + k * np.log(2 * np.pi))
    log_q = -0.5 * np.sum(steps**2, axis=-1) - np.sum(np.log(width * scale * np.sqrt(2 * np.pi)))
    weights = log_joint - log_q
    exact = ppca.score_samples(rows)
    return [
        np.mean(logsumexp(weights.reshape(-1, size, len(rows)), axis=1) - np.log(size) - exact)
        for size in sizes
    ]


figure, (left, right) = panels()

pair = np.ix_([0, 1], [0, 1])
for radius in (1, 2):
    left.plot(*ellipse(covariance[pair], radius), color=INK)
    left.plot(*ellipse(np.diag(scale[:2] ** 2), radius), color=BLUE, linestyle="--")
left.plot([], [], color=INK, label="exact p(z | x)")
left.plot([], [], color=BLUE, linestyle="--", label="best q with independent latents")
finish(
    left,
    "Two of six latents, one datum",
    xlabel="z₁ − E[z₁ | x]",
    ylabel="z₂ − E[z₂ | x]",
    aspect="equal",
    xlim=(-0.65, 0.65),
    ylim=(-0.55, 0.75),
)

sizes = 4 ** np.arange(7)
for width, colour, label in (
    (1.0, BLUE, "best diagonal q"),
    (2.0, GREEN, "scales twice as wide"),
    (0.4, RED, "scales 0.4 as wide"),
):
    right.plot(sizes, bounds(width, sizes), "o-", color=colour, label=label)
right.axhline(0.0, color=INK, linestyle=":", label="log p(x), exact")
finish(
    right,
    "From the ELBO, K = 1, towards log p(x)",
    xscale="log",
    xlabel="K, number of weights",
    ylabel="bound − log p(x), nats a row",
)

save(figure, __file__)
