"""
The lower half of a digit, given the upper
==========================================

Half of an image does not say what the other half is. The mean of what it may be is a blur: of all
images it has the least squared error, and it looks like none of them. How much is left open shows
in draws, here from an exact Gaussian distribution of the lower pixels given the upper ones.
"""

import matplotlib.pyplot as plt
import numpy as np

import wellposed as wp

X = wp.datasets.load_digits().values.astype(float)
train, held_out = X[:1437], X[1437:]

# %%
# Factor analysis with 15 latents, which is a Gaussian with a noise variance of each pixel. Rows
# that were not in the fit are filled with the lower half hidden.

imputer = wp.GaussianImputer(n_components=15, bootstrap=False, random_state=0).fit(train)
hidden = held_out.copy()
hidden[:, 32:] = np.nan
means = imputer.transform(hidden)
draws = imputer.draw(hidden, 3)  # three completions of each row, shape (3, 360, 64)

# %%
# The mean has the smaller error, and too little variance; a draw has that of the data.

for name, filled in [("mean", means), ("draw", draws[0])]:
    error = np.sqrt(np.mean((filled - held_out)[:, 32:] ** 2))
    variance = filled[:, 32:].var(axis=0).sum()
    print(f"{name}: root mean squared error {error:.2f}, variance {variance:.0f}")
print(f"data: variance {held_out[:, 32:].var(axis=0).sum():.0f}")

figure, axes = plt.subplots(5, 8, figsize=(7, 4.6), layout="constrained")
rows = [held_out[:8], means[:8], *draws[:, :8]]
for line, images, name in zip(axes, rows, ["data", "mean", "draw", "draw", "draw"], strict=True):
    for ax, image in zip(line, images, strict=True):
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.axhline(3.5, color="#CC6677", lw=1)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(name, rotation=0, ha="right", va="center")
figure.suptitle("Below the line: given the pixels above it")
figure.set_label(
    "Five rows of digits: data, then the mean and three draws of the lower half given the upper"
)
plt.show()
