"""
A noise of one's own
====================

Some columns of a table of tumours have long tails. A logistic noise has longer tails than a
Gaussian, and is not among the families of the library. A class of a few lines adds it. Is the
bound on log p(x) of tumours held out higher?
"""

import math

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from numpyro import distributions
from scipy import stats
from sklearn.datasets import load_breast_cancer

import wellposed as wp
from wellposed.noise.parts import AbstractLocationScale, Constants, Scale

UNIT = math.sqrt(3.0) / math.pi  # scale of a logistic whose standard deviation is one

# %%
# The law and its peak. Floors, the start from the data and draws come with the base class.


class Logistic(AbstractLocationScale):
    """Independent logistic noise."""

    scale: Scale
    constants: Constants | None

    def __init__(self, variance="feature", *, floor=None):
        self.scale = Scale(variance, floor=floor)
        self.constants = None

    def law(self, location, scale):
        return distributions.Logistic(location, jnp.broadcast_to(UNIT * scale, location.shape))

    @property
    def log_peak(self):
        return -math.log(4.0 * UNIT)


# %%
# Both on the same tumours, of which these columns are the standard errors. Other columns have
# another answer: of the ten means, with four latents, the Gaussian had the higher ELBO.

X = load_breast_cancer(as_frame=True).data.filter(like="error").to_numpy()
X = X[np.random.default_rng(0).permutation(len(X))]
train, held_out = X[:400], X[400:]
for name, noise in [("Gaussian", wp.noise.Gaussian("feature")), ("logistic", Logistic("feature"))]:
    vae = wp.VAE(
        2,
        noise=noise,
        hidden=(16,),
        max_epochs=40,
        validation_folds=0,
        progress=False,
        random_state=0,
    )
    print(f"{name}: {vae.fit(train).elbo(held_out).mean():.2f} nats, ELBO of a tumour held out")

# %%
# Errors of the last model on tumours held out, in units of each column's deviation. Large errors
# are more frequent than under the Gaussian, and at the right more frequent than under the logistic.

errors = held_out - vae.reconstruct(held_out)
errors = ((errors - errors.mean(axis=0)) / errors.std(axis=0)).ravel()
at = np.linspace(-6, 6, 200)
figure, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
ax.hist(errors, np.arange(-6, 6.5, 0.5), density=True, color="#BBBBBB", label="errors")
ax.plot(at, stats.norm.pdf(at), color="#CC6677", label="Gaussian")
ax.plot(at, stats.logistic(scale=UNIT).pdf(at), color="#332288", label="logistic")
ax.set(xlabel="error, standard deviations", ylabel="density", yscale="log", ylim=(2e-4, 1))
ax.legend(frameon=False)
figure.set_label(
    "Histogram of errors with densities of a Gaussian and of a logistic, whose tails are longer"
)
plt.show()
