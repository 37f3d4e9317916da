"""
Which cell of a tumour is wrong
===============================

In one row of a table of tumours a perimeter of 110.1 is written as 101.1, which is a usual
perimeter. Is the row found, and is its cell named?
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer

import wellposed as wp

data = load_breast_cancer(as_frame=True).data.filter(like="mean").iloc[:, :6]
order = np.random.default_rng(0).permutation(len(data))
known, new = data.iloc[order[:400]], data.iloc[order[400:]].copy()
new.loc[35, "mean perimeter"] = 101.1
row = new.index.get_loc(35)
below = (data["mean perimeter"] < 101.1).mean()
print(f"{below:.0%} of the tumours have a smaller perimeter")

# %%
# The detector learns from other tumours, and holds 120 of them out. The p-value of a new row is
# the share of these that are as surprising.

vae = wp.VAE(3, hidden=(16,), max_epochs=40, validation_folds=0, progress=False)
detector = wp.OutlierVAE(
    vae, score="log_density", n_calibration=120, n_samples=16, random_state=0
).fit(known)
p = detector.p_values(new)
print(f"p-value of the row: {p[row]:.3f}; smaller ones among {len(new)}: {(p < p[row]).sum()}")

# %%
# What each column adds to the surprise. A wrong cell has its value beside it, and the one that the
# other columns let expect.

figure, ax = plt.subplots(figsize=(6.4, 3), layout="constrained")
wp.plotting.outliers(
    detector.explain(new.iloc[[row]]), ax=ax, name="the tumour with a typing error"
)
figure.set_label(
    "Contribution of each column to −log p(x) as bars; that of the mean perimeter is by far "
    "the longest"
)
plt.show()
