"""
Alarms at the rate asked
========================

A threshold that is taken from the rows of the training alarms too often: the model gives these
rows a log p(x) that is higher than that of others. Of digits that neither has seen, how many are
flagged where one in ten is asked for?
"""

import matplotlib.pyplot as plt
import numpy as np

import wellposed as wp

X = wp.datasets.load_digits().values
X = X[np.random.default_rng(0).permutation(len(X))]

# %%
# The p-value of a row is the share of some other rows with a log p(x) as low. These are the rows of
# the training, or rows held out, as ``wp.OutlierVAE`` takes them.

vae = wp.VAE(10, image_shape=(8, 8), hidden=(64,), max_epochs=40, progress=False, random_state=0)
surprise = -vae.fit(X[:500]).score_samples(X, n_samples=32)
of_train, held_out, new = surprise[:500], surprise[500:800], surprise[800:]
p_values = {
    "by rows of the training": wp.evaluation.conformal_p_values(new, of_train),
    "by rows held out": wp.evaluation.conformal_p_values(new, held_out),
}
for name, p in p_values.items():
    print(f"{name}: {(p <= 0.1).mean():.1%} of {len(new)} digits flagged at a rate of 10 %")

# %%
# Where p-values are spread evenly from 0 to 1, the share of alarms is the rate asked, at every
# rate.

figure, axes = plt.subplots(1, 2, figsize=(6.4, 3.4), sharey=True, layout="constrained")
for ax, (name, p), colour in zip(axes, p_values.items(), ("#CC6677", "#332288"), strict=True):
    ax.hist(p, np.linspace(0, 1, 11), color=colour, edgecolor="white")
    ax.axhline(len(new) / 10, color="black", linestyle="--", label="as asked")
    ax.set(title=name, xlabel="p-value")
axes[0].set(ylabel=f"digits, of {len(new)}")
axes[0].legend(frameon=False)
figure.set_label(
    "Histograms of p-values: many small ones by rows of the training, about even by rows held out"
)
plt.show()
