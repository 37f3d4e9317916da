"""Figure of chapter 2: the split of the variance, and when the latents of a linear VAE collapse."""

import warnings

import numpy as np
from style import BLUE, GREY, INK, RED, SKY, finish, panels, save

import wellposed as wp

X = wp.datasets.load_digits().values.astype(float)
X = X[:, X.std(axis=0) > 0]
eigenvalues = np.linalg.eigvalsh(np.cov(X.T, bias=True))[::-1]

figure, (left, right) = panels()

k, shown = 10, np.arange(1, 31)
noise = wp.PPCA(k).fit(X).noise_variance_
in_latent = np.where(shown <= k, eigenvalues[:30] - noise, 0)
in_noise = np.full(30, noise)
left.bar(shown, in_noise, color=RED, label="noise: σ² along every direction")
left.bar(shown, in_latent, bottom=in_noise, color=SKY, label="latents: λ − σ²")
left.plot(shown, eigenvalues[:30], "_", color=INK, markersize=9, label="variance of the data, λ")
finish(
    left,
    f"Ten latents: σ² = {noise:.2f}, the mean of λ₁₁ to λ₆₁",
    xlabel="principal direction",
    ylabel="variance, squared grey levels",
)

given = np.geomspace(2, 300, 14)
fine = np.geomspace(2, 300, 400)
colours = [BLUE, RED, INK, GREY]
for direction, colour in zip((0, 2, 4, 7), colours, strict=True):
    label = f"direction {direction + 1}, λ = {eigenvalues[direction]:.0f}"
    right.plot(fine, np.maximum(eigenvalues[direction] - fine, 0), color=colour)
    right.text(2, eigenvalues[direction] + 3, label, color=colour, fontsize=8.5)
for variance in given:
    warnings.simplefilter("ignore", wp.TrainingWarning)  # every latent has collapsed: it is shown
    vae = wp.LinearVAE(10, noise=variance, solver="gradient", random_state=0).fit(X)
    norms = np.sort(np.sum(vae.components_**2, axis=1))[::-1]
    for direction, colour in zip((0, 2, 4, 7), colours, strict=True):
        right.plot(variance, norms[direction], "o", color=colour, markersize=5)
right.plot([], [], "o", color=INK, markersize=5, label="linear VAE, gradient descent")
right.plot([], [], color=INK, label="closed form, λ − σ² or 0")
finish(
    right,
    "σ² given: a latent collapses where σ² > λ",
    xscale="log",
    ylim=(-8, 205),
    xlabel="σ², given",
    ylabel="‖w‖², variance that a latent explains",
)

save(figure, __file__)
