"""
Ten kinds of digit on a plane
=============================

A VAE with two latents places each image on a plane, without having seen a label. Do the digits
separate, and does the plane look like p(z)?
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

import wellposed as wp

X, kind = load_digits(return_X_y=True)

# %%
# p(z) is N(0, I), so that most codes should be near zero.

vae = wp.VAE(
    2,
    prior="standard",
    image_shape=(8, 8),
    hidden=(64, 64),
    max_epochs=60,
    validation_folds=0,
    progress=False,
    random_state=0,
)
codes = vae.fit(X).transform(X)

# %%
# Posterior means of all images, marked by their digit; the dashed circle contains 95 % of p(z).

figure, ax = plt.subplots(figsize=(6.4, 5.6), layout="constrained")
wp.plotting.latent_plane(codes, labels=kind, ax=ax, title="Posterior means of the digits")
figure.set_label(
    "Posterior means on a plane, each marked by its digit, and a circle with 95 % of p(z)"
)
plt.show()
