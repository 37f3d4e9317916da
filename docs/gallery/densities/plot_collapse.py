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
# A training at each σ², in squared levels of the pixels. A latent counts as active where its
# posterior mean varies over the images, with a variance above 0.01. The latents whose variance is
# above 0.1 are counted too: those between have a rate of a few hundredths of a nat at most.


def clearly(vae):
    """Count the latents whose posterior mean has a variance above 0.1."""
    return {"clearly": int((vae.transform(X).var(axis=0) > 0.1).sum())}


vae = wp.VAE(
    10,
    prior="standard",
    transform="identity",
    image_shape=(8, 8),
    hidden=(32,),
    max_epochs=60,
    random_state=0,
)
found = wp.fit_grid(
    vae, {"noise": [float(v) for v in variances]}, X, measure=clearly, progress=False
)
active, clear = found.table["active"].to_numpy(), found.table["clearly"].to_numpy()

# %%
# The forecast needs the data alone: the number of eigenvalues of the covariance above σ². Where it
# is zero, all latents collapse. Elsewhere the trainings have up to two latents above 0.1 fewer than
# the forecast, and up to three above 0.01 more, so the count depends on the threshold.

line = np.geomspace(12, 400, 400)
eigenvalues = wp.forecast(X, noise_variance=1.0, n_components=10).eigenvalues[:10]
forecast = (eigenvalues > line[:, None]).sum(axis=1)
for v, n, m in zip(variances, active, clear, strict=True):
    print(f"σ² = {v:.0f}: forecast {(eigenvalues > v).sum()}, above 0.01 {n}, above 0.1 {m}")

figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
ax.plot(line, forecast, color="#BBBBBB", drawstyle="steps-mid", label="forecast")
ax.plot(variances, active, "o", color="#332288", fillstyle="none", label="VAE, above 0.01")
ax.plot(variances, clear, ".", color="#332288", label="VAE, above 0.1")
ax.set(xscale="log", xlabel="noise variance σ², squared levels", ylabel="active latents, of 10")
ax.set_xticks([10, 20, 50, 100, 200, 400], ["10", "20", "50", "100", "200", "400"])
ax.set_xticks([], minor=True)
ax.legend(frameon=False)
figure.set_label(
    "Active latents against the noise variance: trained VAEs as points near the falling "
    "steps of the forecast"
)
plt.show()
