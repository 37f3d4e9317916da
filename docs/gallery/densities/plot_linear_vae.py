"""
The linear VAE is probabilistic PCA
===================================

A VAE with a linear decoder has the same maximum as probabilistic PCA, for every number of
latents. Of 200 digits, how much do more latents gain, and which model is chosen by the log p(x)
of rows held out?
"""

import matplotlib.pyplot as plt
import numpy as np

import wellposed as wp

X = wp.datasets.load_digits().values
train, held_out = X[:200], X[200:]

# %%
# Both models for several k. The ELBO of the linear VAE at its optimum equals log p(x) of pPCA:
# the bound is tight.

sizes = [1, 2, 5, 10, 15, 20, 30, 40]
exact = [wp.PPCA(k).fit(train) for k in sizes]
bounds = [wp.LinearVAE(k, random_state=0).fit(train).elbo_ for k in sizes]
log_p = np.array([model.score(train) for model in exact])
print(f"largest difference: {np.abs(log_p - bounds).max():.1e} nats")

# %%
# In training rows, more latents always gain. In rows held out, the gain ends.

on_held_out = np.array([model.score(held_out) for model in exact])
best = int(on_held_out.argmax())
print(f"best number of latents on rows held out: {sizes[best]}")

figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
ax.plot(sizes, log_p, color="#332288", label="pPCA, training rows")
ax.plot(sizes, bounds, "o", color="#332288", fillstyle="none", label="ELBO of the linear VAE")
ax.plot(sizes, on_held_out, "s-", color="#CC6677", label="pPCA, rows held out")
ax.set(xlabel="number of latents k", ylabel="mean log p(x), nats a row")
ax.legend(frameon=False)
figure.set_label(
    "log p(x) against the number of latents: ELBOs of linear VAEs lie on the rising curve "
    "of pPCA in training rows; the curve of rows held out ends to rise"
)
plt.show()
