"""
The density of a table
======================

A VAE is a density, like a mixture of Gaussians: p(x) at any place, not only at the rows. Of two
columns of a table of tumours, where does each model expect a tumour?
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from sklearn.datasets import load_breast_cancer
from sklearn.mixture import GaussianMixture

import wellposed as wp

data = load_breast_cancer(as_frame=True).data
X = data[["mean radius", "mean concave points"]].to_numpy()
order = np.random.default_rng(0).permutation(len(X))
train, held_out = X[order[:400]], X[order[400:]]

# %%
# The mixture has as many Gaussians as its BIC says.

mixtures = [GaussianMixture(k, n_init=3, random_state=0).fit(train) for k in range(1, 7)]
mixture = min(mixtures, key=lambda model: model.bic(train))
vae = wp.VAE(2, hidden=(32,), max_epochs=60, validation_folds=0, progress=False, random_state=0)
vae.fit(train)
models = {f"{mixture.n_components} Gaussians": mixture, "VAE": vae}

# %%
# Both on the same grid, and the mean log p(x) of tumours held out. The difference is smaller than
# its standard error.

across, up = np.linspace(5, 30, 40), np.linspace(-0.01, 0.22, 40)
levels = np.geomspace(0.003, 3, 11)
grid = np.stack(np.meshgrid(across, up), axis=-1)
figure, axes = plt.subplots(
    1, 2, figsize=(6.4, 3.6), sharex=True, sharey=True, layout="constrained"
)
for ax, (name, model) in zip(axes, models.items(), strict=True):
    density = np.exp(model.score_samples(grid.reshape(-1, 2))).reshape(40, 40)
    score = model.score(held_out)
    print(f"{name}: held-out log p(x) {score:.2f} nats a tumour")
    ax.contourf(across, up, density, levels, norm=LogNorm(), cmap="Purples", extend="max")
    ax.plot(*held_out.T, ".", markersize=3, color="#CC6677")
    ax.set(title=f"{name}: {score:.2f} nats".replace("-", "−"), xlabel="mean radius")
axes[0].set(ylabel="mean concave points")
gain = vae.score_samples(held_out) - mixture.score_samples(held_out)
error = gain.std(ddof=1) / np.sqrt(len(gain))
print(f"gain of the VAE, paired by rows: {gain.mean():.2f} ± {error:.2f} nats")
figure.set_label(
    "Densities of a mixture of Gaussians and of a VAE over two columns, with the tumours "
    "held out as points"
)
plt.show()
