"""
Filled cells, and how sure they are
===================================

A quarter of the cells of a table of tumours is hidden. A Gaussian fills them, and states an
interval for each. Are nine in ten of the hidden values within intervals of 90 %?
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer

import wellposed as wp

data = load_breast_cancer(as_frame=True).data
whole = data.filter(like="mean").to_numpy()
X = wp.datasets.hide_completely_at_random(whole, 0.25, random_state=0)
hidden = np.isnan(X)

# %%
# The imputer learns from the observed cells alone.

imputer = wp.GaussianImputer(random_state=0).fit(X)
filled = imputer.transform(X)
low, high = imputer.predict_interval(X, 0.9)
inside = (low <= whole) & (whole <= high)
print(f"inside their interval: {inside[hidden].mean():.1%} of {hidden.sum()} cells")

# %%
# The hidden values of one column against the filled ones. Where other columns determine a cell,
# its interval is short.

column = 2
of = hidden[:, column]
order = np.flatnonzero(of)[np.argsort(whole[of, column])]
figure, ax = plt.subplots(figsize=(6.4, 4), layout="constrained")
at = np.arange(len(order))
ax.vlines(at, low[order, column], high[order, column], color="#88CCEE", label="interval of 90 %")
ax.plot(at, filled[order, column], ".", color="#332288", label="filled")
ax.plot(at, whole[order, column], "_", color="#CC6677", label="hidden value")
ax.set(xlabel="rows, by the hidden value", ylabel=data.columns[column])
ax.legend(frameon=False)
figure.set_label("Hidden values of a column in order, with the filled ones and their intervals")
plt.show()
