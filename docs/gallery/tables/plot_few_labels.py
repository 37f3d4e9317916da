"""
Few labels, many images
=======================

Five digits of each kind have a label, and 1,747 have none. How much do the images without a label
help, beside a classifier that has the labelled ones alone?
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay

import wellposed as wp

digits = wp.datasets.load_digits()
X, kind = digits.values, np.asarray(digits.labels)
order = np.random.default_rng(0).permutation(len(X))
labelled = np.concatenate([order[kind[order] == c][:5] for c in range(10)])
others = np.setdiff1d(order, labelled)

# %%
# A row without a label has −1.

y = np.full(len(X), -1)
y[labelled] = kind[labelled]
vae = wp.VAE(10, image_shape=(8, 8), hidden=(64,), max_epochs=40, progress=False)
model = wp.SemiSupervisedVAE("features", vae=vae, calibration_folds=2, random_state=0).fit(X, y)
alone = LogisticRegression(C=0.01, max_iter=1000).fit(X[labelled], kind[labelled])

# %%
# Digits without a label, by their kind and by the kind that each classifier found.

figure, axes = plt.subplots(1, 2, figsize=(6.4, 3.6), sharey=True, layout="constrained")
for ax, (name, classifier) in zip(
    axes, {"labels alone": alone, "all digits": model}.items(), strict=True
):
    found = classifier.predict(X[others])
    wrong = (found != kind[others]).mean()
    print(f"{name}: {wrong:.1%} wrong")
    ConfusionMatrixDisplay.from_predictions(
        kind[others],
        found,
        ax=ax,
        cmap="Purples",
        colorbar=False,
        text_kw={"fontsize": 8},
    )
    ax.set(title=f"{name}: {wrong:.1%} wrong", xlabel="found", ylabel="")
axes[0].set(ylabel="kind")
figure.set_label(
    "Counts of digits by their kind and by the kind found, for each of two classifiers"
)
plt.show()
