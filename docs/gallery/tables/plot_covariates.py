"""
Two laboratories, one table
===========================

Half of the wines of a table are measured in a second laboratory, whose instruments read other
values. A model that is given the laboratory can state what the first would have measured. Do the
two halves then agree?
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine

import wellposed as wp

wine = load_wine(as_frame=True).data
frame = wine[["alcohol", "flavanoids", "color_intensity", "hue", "proline"]].copy()
second = np.random.default_rng(0).random(len(frame)) < 0.5
truth = frame.copy()
frame.loc[second] = frame.loc[second] * [1.0, 1.4, 0.8, 1.0, 1.3]
frame["laboratory"] = np.where(second, "second", "first")

# %%
# The laboratory is a covariate: the model is given it, and does not model it.

vae = wp.VAE(
    4,
    covariates=["laboratory"],
    hidden=(32,),
    max_epochs=60,
    validation_folds=0,
    progress=False,
    random_state=0,
)
corrected = vae.fit(frame).reconstruct(frame, covariates={"laboratory": "first"})
print(vae.covariate_information(frame))

# %%
# As measured, and as the first laboratory would measure all wines. What the model returns are means
# without their noise, which is why they lie closer together.

figure, axes = plt.subplots(
    1, 2, figsize=(6.4, 3.6), sharex=True, sharey=True, layout="constrained"
)
for ax, (title, rows) in zip(
    axes, {"as measured": frame, "all as by the first": corrected}.items(), strict=True
):
    for part, colour, name in [(~second, "#332288", "first"), (second, "#CC6677", "second")]:
        chosen = rows.loc[part]
        ax.plot(chosen["flavanoids"], chosen["proline"], ".", color=colour, label=name)
    ratio = rows.loc[second, "proline"].mean() / truth.loc[second, "proline"].mean()
    print(f"{title}: proline of the second laboratory is {ratio:.2f} of the truth")
    ax.set(title=title, xlabel="flavanoids, mg a litre / 100")
axes[0].set(ylabel="proline, mg a litre")
axes[0].legend(title="laboratory", frameon=False)
figure.set_label("Proline against flavanoids by laboratory, as measured and all as by the first")
plt.show()
