"""
A synthetic table of wines
==========================

Draws from a fitted model are rows of a table that nobody measured, with the columns, types and
dependences of the one that was. How close are they?
"""

import matplotlib.pyplot as plt
from sklearn.datasets import load_wine

import wellposed as wp

wine = load_wine(as_frame=True)
frame = wine.data[["alcohol", "flavanoids", "color_intensity", "proline"]].assign(
    cultivar=[f"cultivar {k + 1}" for k in wine.target]
)

# %%
# The model takes columns of text as they come, and its draws have them too.

vae = wp.VAE(hidden=(64,), max_epochs=200, validation_folds=0, progress=False, random_state=0)
drawn = vae.fit(frame).sample(len(frame))
print(drawn.head())

# %%
# Measured and drawn wines in two columns, by cultivar.

figure, axes = plt.subplots(
    1, 2, figsize=(6.4, 3.4), sharex=True, sharey=True, layout="constrained"
)
for ax, rows, title in zip(axes, (frame, drawn), ("measured", "drawn"), strict=True):
    for colour, (name, part) in zip(
        wp.plotting.PALETTE, rows.groupby("cultivar", observed=True), strict=False
    ):
        ax.scatter(part["flavanoids"], part["proline"], s=12, color=colour, label=name)
    ax.set(title=title, xlabel="flavanoids")
axes[0].set(ylabel="proline")
axes[0].legend(frameon=False)
figure.set_label("Proline against flavanoids by cultivar, of measured wines and of drawn ones")
plt.show()
