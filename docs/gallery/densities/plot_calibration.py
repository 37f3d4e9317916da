"""
Do intervals hold what they promise?
====================================

A VAE states for each pixel an interval that should contain nine in ten of new values. After a
training on few images its noise is that of images which it has seen, and intervals are too short.
Does one number for each pixel, fitted to other images, mend it?
"""

import matplotlib.pyplot as plt
import numpy as np

import wellposed as wp

X = wp.datasets.load_digits().values
train, other, held_out = X[:500], X[500:1000], X[1000:]

# %%
# The shares of held-out pixels inside central intervals, before and after.

vae = wp.VAE(10, image_shape=(8, 8), hidden=(64,), max_epochs=60, progress=False, random_state=0)
before = vae.fit(train).coverage(held_out)
after = vae.recalibrate(other).coverage(held_out)
print(f"before\n{before}")
print(f"after\n{after}")

# %%
# The rank of each pixel among draws of the model should be spread evenly. More ranks at both ends
# mean that too many pixels lie outside of the draws. A number for each pixel changes the width of
# its noise and not the shape: the intervals come close to what they promise, and the peak in the
# middle stays.

edges = np.linspace(0, 1, len(before.histogram) + 1)
figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
for record, colour, name in [(before, "#CC6677", "as trained"), (after, "#332288", "recalibrated")]:
    share = record.coverage[list(record.levels).index(0.9)]
    ax.stairs(
        record.histogram,
        edges,
        color=colour,
        lw=2,
        label=f"{name}: intervals of 90 % hold {share:.0%}",
    )
ax.axhline(1, color="black", linestyle="--", label="as promised")
ax.set(xlabel="rank of the pixel among draws", ylabel="density", ylim=(0, None))
ax.legend(frameon=False)
figure.set_label(
    "Histogram of the ranks of pixels among draws: with many at both ends as trained, fewer "
    "when recalibrated, and a peak in the middle in both"
)
plt.show()
