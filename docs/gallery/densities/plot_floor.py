"""
A training without a maximum
============================

Where the decoder returns σ(z), the likelihood has no maximum: σ can shrink to zero on one datum.
A floor under σ, from the steps in which the data were recorded, gives it one. What happens in a
training with the floor, and in one without?
"""

import matplotlib.pyplot as plt
import numpy as np

import wellposed as wp

X = wp.datasets.load_digits().values[:10]
X = X[:, X.std(axis=0) > 0]

# %%
# Levels are whole numbers. Rounding to steps of one has a deviation of 1/√12, so no σ is below it,
# and no model has a higher log p(x) than this one with all means exact.

bound = -0.5 * X.shape[1] * np.log(2 * np.pi / 12)
print(f"the bound with the floor: {bound:.1f} nats an image")

# %%
# Ten digits, the same networks. Without the floor a fit is refused, unless it is asked for.

curves = {}
for name, floor in [("with the floor", None), ("without", 0.0)]:
    vae = wp.VAE(
        2,
        noise=wp.noise.Gaussian("conditional", floor=floor, ratio=None),
        prior="standard",
        transform="identity",
        hidden=(64, 64),
        batch_size=10,
        learning_rate=3e-3,
        weight_decay=0.0,
        max_epochs=2000,
        patience=None,
        validation_fraction=0,
        validation_folds=0,
        linear_start=False,
        ema_decay=0,
        allow_unbounded=True,
        progress=False,
        random_state=0,
    )
    curves[name] = vae.fit(X).history_["objective"]
    print(f"{name}: highest ELBO {np.max(curves[name]):.1f} nats")

# %%
# The value at which the free training stops depends on how long it lasts, and says nothing about
# digits.

figure, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
for (name, curve), colour in zip(curves.items(), ("#332288", "#CC6677"), strict=True):
    ax.plot(np.arange(1, len(curve) + 1), curve, color=colour, lw=1, label=name)
ax.axhline(bound, color="black", linestyle="--", label="bound with the floor")
ax.set(xlabel="epoch", ylabel="ELBO, nats an image", ylim=(-200, None))
ax.legend(frameon=False)
figure.set_label(
    "ELBO against the epoch: with the floor it stays below the bound, without it rises above"
)
plt.show()
