"""
Which latents will be active, before any training
=================================================

With one noise variance σ² for all features, a latent is active where an eigenvalue of the data's
covariance exceeds σ². So a loss with a hidden σ², such as a mean squared error, decides how many
latents a VAE uses. What does it decide on the digits?
"""

import matplotlib.pyplot as plt
import numpy as np

import wellposed as wp

X = wp.datasets.load_digits().values

# %%
# A squared error that is averaged over 64 pixels, beside a KL that is averaged over 10 latents,
# has a σ² in it. It is in squared units of the data that the loss sees.

print(wp.implied_noise_variance(reduction="mean", n_features=64, n_latents=10))

# %%
# The forecast for a σ² of 30 squared levels.

forecast = wp.forecast(X, noise_variance=30.0, n_components=20)
print(forecast)

# %%
# The eigenvalues against σ²: those above it are the active latents.

eigenvalues = forecast.eigenvalues[:20]
position = np.arange(1, 21)
figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
ax.bar(position, eigenvalues, color=np.where(forecast.active, "#332288", "#BBBBBB"))
ax.axhline(forecast.noise_variance, color="#CC6677", label="noise variance σ²")
ax.set(
    xlabel="latent, by its eigenvalue",
    ylabel="variance along it, squared levels",
    yscale="log",
    xticks=[1, 5, 10, 15, 20],
    title=f"{forecast.n_active} of 20 latents are active",
)
ax.legend(frameon=False)
figure.set_label(
    "Eigenvalues as bars in falling order; those above the line of the noise variance are coloured"
)
plt.show()
