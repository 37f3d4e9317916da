"""
A draw is not a mean
====================

Pictures of VAEs usually show the decoder's mean μ(z). The model says that data are draws from p(x
| z), the mean with noise. How do both look on the digits, when the noise of each pixel is
independent, and when it depends on its neighbours?
"""

import matplotlib.pyplot as plt
import numpy as np

import wellposed as wp

X = wp.datasets.load_digits().values
train, held_out = X[:1437], X[1437:]

# %%
# One model with independent noise of levels, one with causal noise of the same kind.

models = {}
for name, noise in [("independent", "discretized-logistic"), ("causal", "causal-logistic")]:
    vae = wp.VAE(
        10,
        noise=noise,
        image_shape=(8, 8),
        hidden=(64,),
        max_epochs=30,
        validation_folds=0,
        progress=False,
        random_state=0,
    )
    models[name] = vae.fit(train)
    print(f"{name}: held-out log p(x) {models[name].score_samples(held_out).mean():.1f} nats")

# %%
# From above: digits; means and draws of the independent noise; draws of the causal noise. A draw of
# independent noise is its mean with speckle, which is why pictures show the mean. Causal noise has
# the better log p(x). On larger images the eye sees it too: :doc:`/how-to/noise`.

rows = [
    train[:12],
    models["independent"].sample(12, how="mean"),
    models["independent"].sample(12),
    models["causal"].sample(12),
]
figure, ax = plt.subplots(figsize=(6.4, 2.2), layout="constrained")
wp.plotting.images(
    np.concatenate(rows),
    (8, 8),
    ax=ax,
    n_columns=12,
    limits=(0, 16),
    names=["data", "mean", "draw", "causal draw"],
)
figure.set_label("Four rows of digits: data, means, draws with speckle, draws of causal noise")
plt.show()
