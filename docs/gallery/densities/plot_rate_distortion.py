"""
Rate against distortion
=======================

The ELBO is minus a rate, which the latents take, and minus a distortion, which the noise leaves.
A weight β on the rate trades one for the other. Which β has the best bound on log p(x) of digits
held out?
"""

import matplotlib.pyplot as plt

import wellposed as wp

X = wp.datasets.load_digits().values
train, held_out = X[:1000], X[1000:]

# %%
# One training for each β, with σ² fixed.

vae = wp.VAE(
    10,
    noise=0.2,
    prior="standard",
    image_shape=(8, 8),
    hidden=(64,),
    max_epochs=30,
    progress=False,
    random_state=0,
)
curve = wp.rate_distortion_curve(
    vae, train, held_out, beta=[0.25, 0.5, 1.0, 2.0, 4.0], progress=False
)
print(curve)

# %%
# The dotted line has the best sum of both. A model above it has a lower ELBO.

figure, ax = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
wp.plotting.rate_distortion(curve, ax=ax)
figure.set_label(
    "Distortion against rate, a point for each β; the dotted line of equal ELBO goes "
    "through the best"
)
plt.show()
