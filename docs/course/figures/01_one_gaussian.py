"""Figure of chapter 1: a density above one, and log p of images against the noise variance."""

import numpy as np
from sklearn.datasets import load_breast_cancer
from style import BLUE, GREEN, GREY, INK, RED, SKY, finish, panels, save

from wellposed.datasets import load_digits


def log_normal(x, mean, variance):
    """log N(x; μ, σ²), elementwise, in nats."""
    return -0.5 * np.log(2 * np.pi * variance) - (x - mean) ** 2 / (2 * variance)


figure, (left, right) = panels()

x = load_breast_cancer().data[:, 4]
grid = np.linspace(x.min(), x.max(), 300)
left.hist(x, bins=40, density=True, color=SKY, label="569 rows")
density = np.exp(log_normal(grid, x.mean(), x.var()))
left.plot(grid, density, color=BLUE, linewidth=2, label="N(μ, σ²), σ = 0.014")
left.axhline(1.0, color=GREY, linestyle=":", label="density 1")
finish(
    left,
    "A density is not a probability",
    xlabel="mean smoothness of cell nuclei",
    ylabel="density, per unit of smoothness",
)

X = load_digits().values / 16
X = X[:, X.std(axis=0) > 0]
train, test = X[:1437], X[1437:]
mean, d = train.mean(axis=0), X.shape[1]
best = np.mean((train - mean) ** 2)


def held_out(variance):
    """Mean log p of a test image under N(mean image, σ²I), nats."""
    return log_normal(test, mean, variance).sum(axis=1).mean()


variances = np.geomspace(0.02, 100, 200)
right.plot(variances, [held_out(v) for v in variances], color=BLUE, linewidth=2)
for variance, label, colour in (
    (best, f"σ² = {best:.4f}: maximum likelihood", GREEN),
    (0.5, "σ² = ½: Σ(x − x̂)²", INK),
    (1.0, "σ² = 1: ½ Σ(x − x̂)²", GREY),
    (d / 2, f"σ² = d/2 = {d / 2:g}: mean of (x − x̂)²", RED),
):
    right.plot(variance, held_out(variance), "o", color=colour, markersize=8, label=label)
finish(
    right,
    "One mean image, four values of σ²",
    xscale="log",
    ylim=(-200, 10),
    xlabel="σ², squared units of pixels in [0, 1]",
    ylabel="held-out log p(x), nats an image",
)

save(figure, __file__)
