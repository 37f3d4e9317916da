"""
Bytes of digits, without loss
=============================

A model that gives an image a high probability stores it in few bits. How many bytes do 300 digits
that the model has not seen take, beside general methods?
"""

import bz2
import lzma
import zlib

import matplotlib.pyplot as plt
import numpy as np

import wellposed as wp

X = wp.datasets.load_digits().images.astype(np.uint8)  # levels from 0 to 16
train, held_out = X[:1437], X[1437:1737]

# %%
# The code of the model is exact: every level comes back.

vae = wp.VAE(
    10, noise="discretized-logistic", hidden=(64,), max_epochs=40, progress=False, random_state=0
)
data = wp.compress(vae.fit(train), held_out)
assert np.array_equal(wp.decompress(data, vae), held_out)

# %%
# Sizes in bytes an image of 64 pixels. The model, which the reader needs as well, is not counted.

raw = held_out.tobytes()
sizes = {
    "a byte a pixel": len(raw),
    "zlib": len(zlib.compress(raw, 9)),
    "bzip2": len(bz2.compress(raw)),
    "xz": len(lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME)),
    "wellposed": len(data),
}
per_image = {name: size / len(held_out) for name, size in sizes.items()}
for name, size in per_image.items():
    print(f"{name}: {size:.1f} bytes an image")

figure, ax = plt.subplots(figsize=(6.4, 3), layout="constrained")
colours = ["#BBBBBB"] * 4 + ["#332288"]
bars = ax.barh(list(per_image), list(per_image.values()), color=colours)
ax.bar_label(bars, fmt="%.1f", padding=3)
ax.invert_yaxis()
ax.set(xlabel="bytes an image of 8 x 8 pixels", xlim=(0, 72))
figure.set_label("Bytes an image as bars, one for each method; that of the model is the shortest")
plt.show()
