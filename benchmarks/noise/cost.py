"""Seconds of a training step with causal and with independent noise, taking turns."""

import statistics
import time
import warnings

import jax

import wellposed as wp
from benchmarks.noise.models import LEVELS, RECIPE, Images, causal
from wellposed import noise, objectives, training

ROWS, TURNS = 6_400, 7


def step_seconds(data: Images) -> tuple[float, float]:
    """Median seconds an epoch of 6,400 rows: causal, and independent with as many outputs.

    The independent noise is a mixture of three discretised logistics, whose nine outputs a
    feature the causal one is given too.
    """
    independent = noise.DiscretizedLogistic(LEVELS, mixture=3)
    ours = causal()
    wide = noise.CausalLogistic(
        LEVELS, ours.size, ours.mixture, hidden=ours.hidden, outputs=independent.n_raw
    )
    rows, plan, objective = data.train[:ROWS], training.Plan(), objectives.ELBO()
    reached = {"causal": fit_briefly(wide, data), "independent": fit_briefly(independent, data)}
    seconds: dict[str, list[float]] = {name: [] for name in reached}
    for turn in range(TURNS + 1):
        for name, before in reached.items():
            begun = time.perf_counter()
            after = training.advance(
                before.model,
                rows,
                key=jax.random.key(turn),
                objective=objective,
                plan=plan,
                before=before,
            )
            jax.block_until_ready(jax.tree.leaves(after.state))
            reached[name] = after
            if turn:  # the first compiles
                seconds[name].append(time.perf_counter() - begun)
    print(f"\nan epoch of {ROWS} rows, {independent.n_raw} decoder outputs a feature:")
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print(", ".join(f"{name} {value:.2f} s" for name, value in medians.items()))
    return medians["causal"], medians["independent"]


def fit_briefly(observation: noise.AbstractNoise, data: Images) -> training.Advance:
    """Train a model on a few rows."""
    recipe = {**RECIPE, "validation_fraction": 0.0}
    own = {"noise": observation, "image_shape": data.image_shape, "max_epochs": 1}
    vae = wp.VAE(**(recipe | own), progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one epoch is intended
        vae.fit(data.train[:256])
    return training.Advance.of(vae.model_, objectives.ELBO(), vae.history_)
