"""Faults planted in trained VAEs of the digits: which fault ``diagnose`` reports first.

python -m benchmarks.judge.diagnosis [--epochs 60]
"""

import argparse
import copy
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import Normal

import wellposed as wp
from wellposed import evaluation, objectives, training, transforms
from wellposed.estimators._prepare import prepare
from wellposed.experiments import TEXTBOOK

SETTINGS: dict[str, Any] = TEXTBOOK | {
    "noise": "shared",
    "image_shape": (8, 8),
    "hidden": (64, 64),
    "random_state": 0,
    "progress": False,
}
K, N_TRAIN, FEW = 8, 1347, 600


class ClampedKL(objectives.AbstractObjective):
    """A KL without a gradient above a capacity."""

    capacity: float
    trains_noise: ClassVar[bool] = True
    refits_noise: ClassVar[bool] = True

    def __call__(self, model: Any, x: Any, *, key: Any, annealing: Any = 1.0) -> Any:
        terms = objectives.elbo_terms(model, x, key=key)
        value = terms.log_likelihood - annealing * jnp.minimum(terms.kl, self.capacity)
        return objectives.Evaluation(value, terms)

    def implied_noise_variance(self) -> None:
        return None


class NeverBelowOne(eqx.Module):
    """A posterior whose σ is one at least."""

    n_raw: int = eqx.field(static=True, default=2)

    def __call__(self, raw: Any) -> Any:
        k = raw.shape[0] // 2
        return Normal(raw[:k], 1.0 + jax.nn.softplus(raw[k:]))


class WithoutDeterminant(transforms.AbstractTransform):
    """Another transform with its log determinant replaced by zero."""

    inner: transforms.AbstractTransform

    domain = property(lambda self: self.inner.domain)
    range = property(lambda self: self.inner.range)

    def fit(self, summary: Any) -> Any:
        return WithoutDeterminant(self.inner.fit(summary))

    def forward(self, x: Any, *, key: Any) -> Any:
        found = self.inner.forward(x, key=key)
        return transforms.Transformed(found.value, jnp.zeros_like(found.log_det))

    def inverse(self, y: Any) -> Any:
        return self.inner.inverse(y)

    def moments(self, summary: Any, *, key: Any) -> Any:
        return self.inner.moments(summary, key=key)

    def log_det_bound(self, d: int) -> float:
        return 0.0


class Moved(eqx.Module):
    """A network with its input and its output shifted."""

    net: Any
    before: jax.Array
    after: jax.Array

    def __call__(self, x: Any) -> Any:
        return self.net(x - self.before) + self.after


class Planted:
    """The digits, a sound VAE of them, and VAEs with one fault each."""

    def __init__(self, epochs: int):
        rows = wp.datasets.load_digits().values.astype(np.float32)
        rows = np.random.default_rng(0).permutation(rows)
        self.train, self.test, self.epochs = rows[:N_TRAIN], rows[N_TRAIN:], epochs
        self.sound = self.fit()
        self.variance = float(self.sound.noise_variance_)

    def fit(self, n: int = N_TRAIN, **settings: Any) -> Any:
        """Train a VAE on the first rows."""
        chosen = {**SETTINGS, "n_components": K, "max_epochs": self.epochs, **settings}
        return quietly(wp.VAE(**chosen).fit, self.train[:n])

    def overfit(self) -> Any:
        """Train on few rows for long, none held out."""
        more = {"validation_fraction": 0, "patience": None, "max_epochs": 5 * self.epochs}
        return self.fit(FEW, hidden=(128, 128), **more)

    def refit(self) -> Any:
        """Set σ² to the mean squared residual of the test rows, which exceeds that of training."""
        found = copy.copy(self.overfit())
        split = evaluation.variance_split(found.model_, self.test, key=jax.random.key(3))
        best = float(found.noise_variance_) / split.total_ratio.value
        noise = found.model_.noise.refit(jnp.full(self.test.shape[1], best))
        found.model_ = eqx.tree_at(lambda m: m.noise, found.model_, noise)
        found.noise_variance_ = best
        return found

    def shift_latent(self) -> Any:
        """Move one latent's codes five away from the prior, and the decoder with them."""
        found, by = copy.copy(self.sound), jnp.zeros(K).at[0].set(5.0)
        raw = jnp.concatenate([by, jnp.zeros(K)])
        networks = (
            Moved(found.model_.encoder, jnp.zeros(()), raw),
            Moved(found.model_.decoder, by, jnp.zeros(())),
        )
        found.model_ = eqx.tree_at(lambda m: (m.encoder, m.decoder), found.model_, networks)
        return found

    def limit_posterior(self) -> Any:
        """Train with a posterior that is never narrower than the prior."""
        vae = wp.VAE(**{**SETTINGS, "n_components": K})
        prepared = prepare(vae, self.train)
        rows = prepared.rows
        model = eqx.tree_at(lambda m: m.posterior, prepared.model, NeverBelowOne())
        plan = training.Plan(batch_size=64, max_epochs=self.epochs)
        keys = jax.random.split(jax.random.key(0))
        run = training.fit(
            model, rows, key=keys[0], plan=plan, validation_fraction=0.1, progress=False
        )
        vae.store(run.model, run.history, run.outcome, rows)
        return vae

    def faults(self) -> dict[str, tuple[Callable[[], Any], str]]:
        """Return for every fault the function that plants it, and the words of its finding."""
        free = wp.noise.Gaussian("conditional", floor=0.0, ratio=None)
        jacobian = WithoutDeterminant(transforms.Standardize())
        return {
            "σ² fixed eight times too large": (lambda: self.fit(noise=8 * self.variance), "large"),
            "σ² fixed ten times too small": (lambda: self.fit(noise=self.variance / 10), "small"),
            "free σ(z)": (lambda: self.fit(noise=free, allow_unbounded=True), "unbounded"),
            "β = 0.1": (lambda: self.fit(beta=0.1), "too little"),
            "β = 10": (lambda: self.fit(beta=10.0), "too much"),
            "encoder's σ at least one": (self.limit_posterior, "floor"),
            "KL clamped at 3 nats": (lambda: self.fit(objective=ClampedKL(3.0)), "no weight"),
            "σ² refitted on the test rows": (self.refit, "refitted"),
            "wrong Jacobian": (lambda: self.fit(transform=jacobian), "Jacobian"),
            "overfitted decoder": (self.overfit, "overfitted"),
            "prior mismatch": (self.shift_latent, "where the prior is"),
        }

    def healthy(self) -> dict[str, Callable[[], Any]]:
        """Models with nothing wrong."""
        logistic = wp.noise.DiscretizedLogistic(17)
        return {
            "one σ²": lambda: self.sound,
            "discretised logistic": lambda: self.fit(noise=logistic),
            "one σ², 5 latents": lambda: self.fit(n_components=5),
        }


def quietly(call: Callable[..., Any], *arguments: Any) -> Any:
    """Call without warnings: short trainings and constant pixels are intended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call(*arguments)


def judge(epochs: int = 60) -> tuple[int, int]:
    """Print a line a model; return faults named first, and false alarms."""
    planted = Planted(epochs)
    named = alarms = 0
    for name, (plant, words) in planted.faults().items():
        few = name.startswith(("σ² refitted", "overfitted"))
        train = planted.train[: FEW if few else N_TRAIN]
        faults = quietly(wp.diagnose, quietly(plant), planted.test, train).faults
        first = faults[0].fault if faults else "nothing"
        named += words in first
        verdict = "named" if words in first else "MISSED"
        print(f"{name:34}{verdict:8}{first} (+{max(len(faults) - 1, 0)})", flush=True)
    for name, fit in planted.healthy().items():
        found = quietly(wp.diagnose, quietly(fit), planted.test, planted.train)
        # Whether simpler models are better is no cause: one σ² for all pixels loses to a mixture.
        faults = [fault for fault in found.faults if not fault.is_outcome]
        alarms += bool(faults)
        print(f"{'sound: ' + name:34}{'nothing' if not faults else faults[0].fault}", flush=True)
    total = len(planted.faults())
    print(f"named first: {named} of {total}; alarms on sound models: {alarms} of 3")
    return named, alarms


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=60)
    judge(parser.parse_args().epochs)
