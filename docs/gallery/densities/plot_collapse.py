"""
Latents collapse where σ² says so
=================================

A latent collapses when the noise variance σ² exceeds the variance of the data along it. That is a
theorem of linear decoders. Do networks with a hidden layer follow it, on images of digits?
"""

import matplotlib.pyplot as plt
import numpy as np

import wellposed as wp

X = wp.datasets.load_digits().values[:1000]
variances = np.geomspace(16, 300, 9)

# %%
# A training at each σ², in squared levels of the pixels. A latent is active where its posterior
# mean varies over the images, with a variance above 0.01.

vae = wp.VAE(
    10,
    prior="standard",
    transform="identity",
    image_shape=(8, 8),
    hidden=(32,),
    max_epochs=60,
    random_state=0,
)
found = wp.fit_grid(vae, {"noise": [float(v) for v in variances]}, X, progress=False)
active = found.table["active"].to_numpy()

# %%
# The forecast needs the data alone: the number of eigenvalues of the covariance above σ². The
# trainings stay within a few latents of it, and where it is zero, all collapse.

line = np.geomspace(12, 400, 400)
eigenvalues = wp.forecast(X, noise_variance=1.0, n_components=10).eigenvalues[:10]
forecast = (eigenvalues > line[:, None]).sum(axis=1)
for v, n in zip(variances, active, strict=True):
    print(f"σ² = {v:.0f}: {n} active, forecast {(eigenvalues > v).sum()}")

figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
ax.plot(line, forecast, color="#BBBBBB", drawstyle="steps-mid", label="forecast")
ax.plot(variances, active, "o", color="#332288", label="trained VAE")
ax.set(xscale="log", xlabel="noise variance σ², squared levels", ylabel="active latents, of 10")
ax.set_xticks([10, 20, 50, 100, 200, 400], ["10", "20", "50", "100", "200", "400"])
ax.set_xticks([], minor=True)
ax.legend(frameon=False)
plt.show()
