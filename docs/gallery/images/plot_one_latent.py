"""
What the latents decide, and what the noise
===========================================

Under causal noise a pixel depends on those that were drawn before it, and on the latents. What do
the latents say of a digit, and what is left to the noise? Each row has draws of one z.
"""

import jax
import matplotlib.pyplot as plt
import numpy as np

import wellposed as wp

X = wp.datasets.load_digits().values

# %%
# Latents of five digits, and draws from p(x | z) given each.

vae = wp.VAE(
    10,
    noise="causal-logistic",
    image_shape=(8, 8),
    hidden=(64,),
    max_epochs=25,
    progress=False,
    random_state=0,
)
latents = vae.fit(X).transform(X[:5])
keys = jax.random.split(jax.random.key(0), 10)


@jax.jit
def draws(z):
    return jax.vmap(lambda key: vae.model_.decode(z).sample(key=key))(keys)


rows = [np.concatenate([x[None], draws(z)]) for x, z in zip(X[:5], latents, strict=True)]

# %%
# In each row a digit, then draws of its latents. The kind of the digit mostly stays; single strokes
# are left to the noise.

figure, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
wp.plotting.images(
    np.concatenate(rows),
    (8, 8),
    ax=ax,
    n_columns=11,
    limits=(0, 16),
    title="At the left a digit, then ten draws given its latents",
)
figure.set_label("Five rows: a digit, then ten draws given its latents, mostly of the same kind")
plt.show()
