"""The training loop: what it owns, counts, keeps and refuses."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import wellposed as wp
from wellposed import nn, objectives
from wellposed.latents import DiagonalNormal, StandardNormal
from wellposed.models import VAEModel, owned
from wellposed.noise import Gaussian
from wellposed.training import Outcome, Plan, fit
from wellposed.training._epoch import held_out, run_epoch
from wellposed.training._fit import fresh_state
from wellposed.training._optimiser import Rates
from wellposed.transforms import Standardize, summarise

DATA = wp.datasets.linear_gaussian(
    500, n_features=6, n_latents=2, noise_variance=0.2, seed=0
).values.astype(np.float32)


def model_for(data=DATA, noise="shared", k=2, hidden=(16,), transform=None) -> VAEModel:
    summary = summarise(data)
    transform = (transform or Standardize(shared=True)).fit(summary)
    keys = jax.random.split(jax.random.key(0), 3)
    observation = (noise if isinstance(noise, Gaussian) else Gaussian(noise)).initialise(
        transform.moments(summary, key=keys[0])
    )
    make, d = nn.MakeMLP(hidden), data.shape[1]
    return VAEModel(
        transform,
        StandardNormal(k),
        make(d, 2 * k, key=keys[1]),
        DiagonalNormal(),
        make(k, d * observation.n_raw, key=keys[2]),
        observation,
    )


def arrays(tree) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(eqx.filter(tree, eqx.is_array))]


def same(a, b) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(arrays(a), arrays(b), strict=True))


def test_the_objective_rises_and_the_best_epoch_is_kept():
    run = fit(
        model_for(), DATA, key=jax.random.key(1), plan=Plan(max_epochs=40), validation_fraction=0.2
    )
    held = run.history.column("held_out_objective")
    assert held.max() > held[0] + 0.5
    assert len(held) == 40


def test_a_given_variance_is_out_of_the_optimisers_reach():
    """Weight decay writes even to what has no gradient."""
    model = model_for(noise=0.7)
    plan = Plan(max_epochs=3, weight_decay=0.5, learning_rate=0.01)
    run = fit(model, DATA, key=jax.random.key(1), plan=plan)
    assert float(run.model.noise.given) == float(model.noise.given)
    assert same(run.model.transform, model.transform)
    assert not same(run.model.decoder, model.decoder)


@pytest.mark.parametrize(
    ("noise", "count"), [(0.7, 0), ("shared", 1), ("feature", 6), ("conditional", 0)]
)
def test_the_optimiser_owns_the_networks_and_what_the_noise_learns(noise, count):
    model = model_for(noise=noise)
    params = eqx.filter(model, owned(model))
    assert sum(a.size for a in arrays(params.noise)) == count
    assert arrays(params.transform) == []
    assert len(arrays(params.encoder)) == len(arrays(model.encoder))


def test_a_known_noise_variance_is_recovered():
    truth = wp.datasets.linear_gaussian(
        4_000, n_features=8, n_latents=2, noise_variance=0.25, seed=3
    )
    vae = wp.VAE(
        2, hidden=(64,), transform="identity", max_epochs=60, random_state=0, patience=None
    ).fit(truth.values)
    assert vae.noise_variance_ == pytest.approx(0.25, rel=0.06)
    shortfall = truth.log_density.mean() - vae.score(truth.values)
    assert 0 < shortfall < 0.4


def test_the_variance_after_training_is_the_mean_squared_residual():
    model = model_for(noise="shared")
    run = fit(model, DATA, key=jax.random.key(1), plan=Plan(max_epochs=5))
    m = run.model

    def residual(x, key):
        y = m.transform.forward(x, key=key).value
        return (y - m.decode(m.encode(y).rsample(key)).mean) ** 2

    squares = [
        jax.vmap(residual)(jnp.asarray(DATA), jax.random.split(jax.random.key(seed), len(DATA)))
        for seed in range(40)
    ]
    each = np.array([s.mean() for s in squares])
    assert float(m.noise.variance()) == pytest.approx(float(each.mean()), abs=4 * float(each.std()))


def test_every_row_of_a_partial_batch_counts_once():
    """An epoch that moves nothing reports the mean over all rows, whatever the batch size."""
    model = model_for(noise=0.5)
    # A decoder that ignores z makes the value of a row free of Monte Carlo noise.
    model = eqx.tree_at(lambda m: m.decoder, model, jax.tree.map(jnp.zeros_like, model.decoder))
    params, fixed = eqx.partition(model, owned(model))
    still = Rates.of(Plan(learning_rate=1e-30), 1)
    rows = jnp.arange(97)
    values = []
    for size in (1, 10, 64, 97):
        _, metrics = run_epoch(
            fresh_state(params),
            fixed,
            jnp.asarray(DATA),
            rows,
            objectives.ELBO(),
            still,
            batch_size=size,
            key=jax.random.key(0),
        )
        values.append(float(metrics.value))
    keys = jax.random.split(jax.random.key(0), 97)
    exact = jax.vmap(lambda x, k: objectives.elbo_terms(model, x, key=k).elbo)(DATA[:97], keys)
    np.testing.assert_allclose(values, float(exact.mean()), rtol=1e-5)


@pytest.mark.parametrize(
    "objective", [objectives.ELBO(), objectives.BetaELBO(3.0), objectives.IWAE(4)], ids=str
)
def test_training_and_held_out_objectives_are_one_function(objective):
    model = model_for(noise=0.5)
    params, fixed = eqx.partition(model, owned(model))
    data, rows = jnp.asarray(DATA), jnp.arange(len(DATA))
    _, trained = run_epoch(
        fresh_state(params),
        fixed,
        data,
        rows,
        objective,
        Rates.of(Plan(learning_rate=1e-30), 1),
        batch_size=100,
        key=jax.random.key(0),
    )
    held = held_out(params, fixed, data, rows, objective, batch_size=100, key=jax.random.key(1))
    assert float(trained.value) == pytest.approx(float(held.value), abs=0.15)
    assert float(trained.kl) == pytest.approx(float(held.kl), rel=1e-4)


def test_the_warm_up_anneals_the_training_and_not_the_held_out_objective():
    """In the first epoch of a long warm-up the KL is nearly free."""
    model = model_for(noise=0.5)
    plan = Plan(max_epochs=100, kl_warmup=99, learning_rate=1e-12)
    run = fit(
        model,
        DATA,
        key=jax.random.key(1),
        plan=plan,
        validation_fraction=0.5,
        callbacks=[lambda report: True],
    )
    row = {name: column[0] for name, column in run.history.table().items()}
    free = row["log_likelihood"] - row["objective"]
    full = row["held_out_log_likelihood"] - row["held_out_objective"]
    assert free < 0.02 * row["kl"]
    assert full == pytest.approx(row["held_out_kl"], rel=1e-4)


def test_a_non_finite_training_stops_with_the_last_good_state():
    model = model_for(noise=0.5)
    plan = Plan(max_epochs=30, learning_rate=1e18)
    run = fit(model, DATA, key=jax.random.key(1), plan=plan)
    assert run.outcome is Outcome.nonfinite
    assert all(np.isfinite(a).all() for a in arrays(run.model))
    assert "learning_rate" in run.reason


def test_an_unbounded_likelihood_is_refused_before_training():
    model = model_for(noise=Gaussian("conditional", floor=0.0))
    with pytest.raises(wp.UnboundedLikelihoodError, match="allow_unbounded"):
        fit(model, DATA, key=jax.random.key(0))
    run = fit(model, DATA, key=jax.random.key(0), plan=Plan(max_epochs=1), allow_unbounded=True)
    assert len(run.history.rows) == 1


def test_early_stopping_waits_for_its_patience():
    plan = Plan(max_epochs=400, patience=5, learning_rate=0.02)
    run = fit(model_for(), DATA[:60], key=jax.random.key(1), plan=plan, validation_fraction=0.3)
    held = run.history.column("held_out_objective")
    assert run.outcome is Outcome.converged
    assert len(held) - 1 - int(held.argmax()) == 5


def test_a_callback_sees_each_epoch_and_can_stop():
    seen = []

    def callback(report):
        seen.append((report.epoch, report.history.column("objective")[-1]))
        return report.epoch == 3

    run = fit(model_for(), DATA, key=jax.random.key(1), callbacks=[callback])
    assert [epoch for epoch, _ in seen] == [1, 2, 3]
    assert run.outcome is Outcome.interrupted


def test_squared_error_leaves_the_noise_to_the_closed_form():
    model = model_for(noise="shared")
    plan = Plan(max_epochs=3, weight_decay=0.1)
    seen = []
    run = fit(
        model,
        DATA,
        key=jax.random.key(1),
        plan=plan,
        objective=objectives.SquaredError(1.0),
        callbacks=[lambda report: seen.append(float(report.model.noise.rho))],
    )
    assert seen == [float(model.noise.rho)] * 3
    assert float(run.model.noise.rho) != seen[0]
    with pytest.raises(wp.SettingError, match="depends on z"):
        fit(
            model_for(noise="conditional"),
            DATA,
            key=jax.random.key(1),
            objective=objectives.SquaredError(1.0),
        )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kl_warmup": 10, "max_epochs": 10}, "warm-up must reach its target"),
        ({"batch_size": 0}, "batch_size"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"patience": 0}, "patience"),
        ({"clip_norm": 0.0}, "clip_norm"),
    ],
)
def test_a_plan_is_checked_when_it_is_made(settings, words):
    with pytest.raises(wp.SettingError, match=words):
        Plan(**settings)


def test_changing_a_number_compiles_nothing():
    def train(noise, objective, plan, data=DATA):
        fit(
            model_for(noise=noise),
            data,
            key=jax.random.key(0),
            objective=objective,
            plan=plan,
            validation_fraction=0.2,
        )

    train("shared", objectives.ELBO(), Plan(max_epochs=2))
    train(0.5, objectives.BetaELBO(2.0), Plan(max_epochs=1))
    before = (run_epoch._cached._cache_size(), held_out._cached._cache_size())
    changed = Plan(max_epochs=3, learning_rate=0.01, clip_norm=5.0, kl_warmup=1, weight_decay=0.1)
    train("shared", objectives.ELBO(), changed, DATA + 1.0)
    train(0.1, objectives.BetaELBO(0.3), changed)
    assert (run_epoch._cached._cache_size(), held_out._cached._cache_size()) == before
    train("feature", objectives.ELBO(), changed)
    assert run_epoch._cached._cache_size() == before[0] + 1


def test_clipping_bounds_the_step_adam_takes_from_a_gradient():
    """Adam rescales, so the effect shows in its memory: the first moment after one step."""
    model = model_for(noise=0.5)
    params, fixed = eqx.partition(model, owned(model))
    data, rows = jnp.asarray(DATA), jnp.arange(100)

    def first_moment(clip):
        state, metrics = run_epoch(
            fresh_state(params),
            fixed,
            data,
            rows,
            objectives.ELBO(),
            Rates.of(Plan(clip_norm=clip), 1),
            batch_size=100,
            key=jax.random.key(0),
        )
        return np.sqrt(sum((a**2).sum() for a in arrays(state.memory.mu))), metrics

    free, metrics = first_moment(float("inf"))
    clipped, _ = first_moment(0.01)
    assert free == pytest.approx(0.1 * float(metrics.gradient_norm), rel=1e-4)
    assert clipped == pytest.approx(0.1 * 0.01, rel=1e-4)
