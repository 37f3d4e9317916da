"""
A column of counts
==================

A pixel of these digits is a count: of the 16 dots of a block, the number that are black. A
Gaussian noise has draws between the counts, below zero and above 16. What does a noise of counts
draw?
"""

import matplotlib.pyplot as plt
import numpy as np

import wellposed as wp

X = wp.datasets.load_digits().values[:1000]
pixel = 20  # in the third row

# %%
# Beta-binomial noise gives each count from 0 to 16 a probability that depends on z.

drawn = {}
for name, noise in [("Gaussian", "shared"), ("beta-binomial", wp.noise.BetaBinomial(17))]:
    vae = wp.VAE(
        10,
        noise=noise,
        image_shape=(8, 8),
        hidden=(64,),
        max_epochs=25,
        progress=False,
        random_state=0,
    )
    drawn[name] = vae.fit(X).sample(len(X))[:, pixel]
    outside = (drawn[name] < 0) | (drawn[name] > 16)
    print(f"{name}: {outside.mean():.1%} of the draws lie outside of 0 to 16")

# %%
# One pixel in all images, in steps of one, beside as many draws.

bins = np.arange(-6, 24) - 0.5
figure, axes = plt.subplots(1, 2, figsize=(6.4, 3.4), sharey=True, layout="constrained")
for ax, (name, values), colour in zip(axes, drawn.items(), ("#CC6677", "#332288"), strict=True):
    ax.hist(X[:, pixel], bins, color="#BBBBBB", label="data")
    ax.hist(values, bins, histtype="step", color=colour, lw=1.5, label="draws")
    ax.set(title=name, xlabel="black dots, of 16")
    ax.legend(frameon=False)
axes[0].set(ylabel=f"images, of {len(X)}")
figure.set_label(
    "Histograms of a pixel and of draws: Gaussian ones lie outside of the counts too, "
    "beta-binomial ones follow them"
)
plt.show()
