"""Figure of chapter 5: rate and squared error of VAEs, and a warm-up of the KL."""

import warnings

import numpy as np
from style import BLUE, GREEN, GREY, INK, RED, finish, panels, save

import wellposed as wp

X = wp.datasets.load_digits().values.astype(float)
X = X[:, X.std(axis=0) > 0]
train, test = X[:1437], X[1437:]
k, d = 10, X.shape[1]


def linear(variance):
    """Rate and squared error of held-out digits under probabilistic PCA with a given σ²."""
    ppca = wp.PPCA(k, noise=variance).fit(train)
    W, rows = ppca.components_.T, test - ppca.mean_
    M = W.T @ W + variance * np.eye(k)
    mean, D = np.linalg.solve(M, W.T @ rows.T).T, variance / np.diag(M)
    rate = 0.5 * np.sum(D - np.log(D) - 1) + 0.5 * np.mean(np.sum(mean**2, axis=1))
    error = np.mean(np.sum((rows - mean @ W.T) ** 2, axis=1)) + np.sum(W**2 * D)
    return rate, error


def network(variance, **settings):
    """Train a VAE at a given σ²."""
    return wp.VAE(
        k,
        noise=variance,
        transform="identity",
        prior="standard",
        hidden=(64,),
        max_epochs=100,
        validation_fraction=0.0,
        random_state=0,
        **settings,
    ).fit(train)


def measured(vae, variance):
    """Rate and squared error of held-out digits."""
    result = vae.rate_distortion(test)
    error = 2 * variance * (result.distortion.value - d / 2 * np.log(2 * np.pi * variance))
    return result.rate.value, error


warnings.simplefilter("ignore", wp.TrainingWarning)  # latents collapse: it is shown
figure, (left, right) = panels()

line = np.array([linear(variance) for variance in np.geomspace(0.5, 178, 60)])
left.plot(line[:, 0], line[:, 1], color=INK, label="linear VAE, exact")
for variance in (1.0, 3.0, 10.0, 30.0, 100.0):
    rate, error = measured(network(variance), variance)
    exact = linear(variance)
    print(f"βσ² = {variance:5g}: network rate {rate:5.2f}, error {error:6.1f}; ", end="")
    print(f"linear rate {exact[0]:5.2f}, error {exact[1]:6.1f}")
    left.plot(rate, error, "o", color=BLUE, markersize=7)
    left.annotate(f"{variance:g}", (rate, error), (-5, -13), textcoords="offset points", ha="right")
left.plot([], [], "o", color=BLUE, label="VAE with networks, at βσ² as written")
finish(
    left,
    "Each βσ² is one point",
    xlim=(-1.5, 31),
    ylim=(0, 1250),
    xlabel="rate, nats an image",
    ylabel="squared error of an image, E‖x − μ(z)‖²",
)

for warmup, colour, label in ((0, GREY, "no warm-up"), (50, RED, "warm-up over 50 epochs")):
    vae = network(100.0, kl_warmup=warmup, linear_start=False)
    right.plot(vae.history_["epoch"], vae.history_["kl"], color=colour, label=label)
    print(f"warm-up {warmup}: largest rate {vae.history_['kl'].max():.2f}, ", end="")
    print(f"last {vae.history_['kl'][-1]:.2f} nats")
right.axvline(50, color=RED, linestyle=":", linewidth=1)
right.text(51, 6.2, "weight of the KL\nis one from here", color=RED, fontsize=8.5)
right.axhline(linear(100.0)[0], color=GREEN, linestyle="--", label="exact linear VAE")
finish(
    right,
    "A warm-up at σ² = 100 ends at the same rate",
    xlabel="epoch",
    ylabel="rate in training, nats an image",
    ylim=(0, None),
)

save(figure, __file__)
