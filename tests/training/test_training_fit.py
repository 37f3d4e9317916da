"""The training loop: what it owns, counts, keeps and refuses."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import wellposed as wp
from once import over
from textbook import textbook_vae
from wellposed import nn, objectives
from wellposed.latents import DiagonalNormal, StandardNormal
from wellposed.models import VAEModel, trainable
from wellposed.noise import Gaussian
from wellposed.training import History, Outcome, Plan, _epoch, fit
from wellposed.training._epoch import Metrics, initial_state
from wellposed.training._optimiser import Rates
from wellposed.training._pass import _SOON
from wellposed.training._rows import Rows
from wellposed.transforms import Standardize, summarise

run_epoch, held_out = (eqx.filter_jit(f) for f in (_epoch.run_epoch, _epoch.evaluate_held_out))

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


def test_the_objective_rises():
    run = fit(
        model_for(), DATA, key=jax.random.key(1), plan=Plan(max_epochs=40), validation_fraction=0.2
    )
    held = run.history.column("held_out_objective")
    assert held.max() > held[0] + 0.5
    assert len(held) == 40


def test_the_best_epoch_on_held_out_rows_is_kept():
    seen = []
    run = fit(
        model_for(),
        DATA[:60],
        key=jax.random.key(1),
        plan=Plan(max_epochs=400, patience=5, learning_rate=0.02),
        validation_fraction=0.3,
        callbacks=[lambda report: seen.append(report.model)],
    )
    held = run.history.column("held_out_objective")
    best = seen[held.argmax()]
    assert held.argmax() < len(held) - 1
    assert same((run.model.encoder, run.model.decoder), (best.encoder, best.decoder))


def test_without_held_out_rows_the_last_epoch_is_kept():
    seen = []
    run = fit(
        model_for(noise=0.1),
        DATA,
        key=jax.random.key(1),
        plan=Plan(max_epochs=3, patience=1),
        callbacks=[lambda report: seen.append(report.model)],
    )
    assert len(seen) == 3
    assert same(run.model, seen[-1])


def blind(model) -> VAEModel:
    """The model with a decoder that ignores z, whose values have no Monte Carlo noise."""
    return eqx.tree_at(lambda m: m.decoder, model, jax.tree.map(jnp.zeros_like, model.decoder))


def test_the_variance_is_solved_on_the_training_rows_alone():
    """The history's mean log likelihoods give the mean squares of either part of the rows."""
    model = blind(model_for(noise="shared"))
    run = fit(
        model,
        DATA[:90],
        key=jax.random.key(1),
        plan=Plan(max_epochs=1, learning_rate=1e-12, batch_size=32),
        validation_fraction=0.5,
    )
    start = float(model.noise.variance())
    d = DATA.shape[1]
    log_det = float(model.transform.log_det_bound(d))

    def mean_square(log_likelihood):
        per_feature = (log_likelihood - log_det) / d
        return -2 * start * (per_feature + 0.5 * np.log(2 * np.pi * start))

    trained = mean_square(run.history.column("log_likelihood")[0])
    held = mean_square(run.history.column("held_out_log_likelihood")[0])
    assert abs(trained / held - 1) > 0.01
    assert float(run.model.noise.variance()) == pytest.approx(trained, rel=1e-4)
    # Halves that share no row: together they are the data.
    y = over(lambda x: model.transform.forward(x, key=jax.random.key(0)).value, DATA[:90])
    assert (trained + held) / 2 == pytest.approx(float((y**2).mean()), rel=1e-4)


@pytest.mark.parametrize(
    ("objective", "solved"), [(objectives.ELBO(), True), (objectives.IWAE(3), False)], ids=str
)
def test_the_variance_is_solved_only_where_that_is_its_optimum(objective, solved):
    """The mean squared residual under q is not the optimum of the importance-weighted bound."""
    seen = []
    run = fit(
        model_for(noise="shared"),
        DATA,
        key=jax.random.key(1),
        plan=Plan(max_epochs=2),
        objective=objective,
        callbacks=[lambda report: seen.append(report.model)],
    )
    assert same(run.model.decoder, seen[-1].decoder)
    assert (float(run.model.noise.scale.rho) != float(seen[-1].noise.scale.rho)) == solved


def test_every_epoch_draws_anew_and_is_judged_by_the_same_draws():
    run = fit(
        model_for(noise=0.5),
        DATA,
        key=jax.random.key(1),
        plan=Plan(max_epochs=5, learning_rate=1e-30),
        validation_fraction=0.2,
    )
    # Several digits apart: the order of a sum moves the last one.
    objective = run.history.column("objective")
    assert np.diff(np.sort(objective)).min() > 1e-4
    assert np.ptp(run.history.column("held_out_objective")) == 0.0


def still_epoch(model, data, key, *, rate=1e-30, batch_size=16):
    params, fixed = eqx.partition(model, trainable(model))
    rates = Rates.of(Plan(learning_rate=rate, decay=False), 1)
    return run_epoch(
        initial_state(params),
        fixed,
        jnp.asarray(data),
        Rows.of(np.arange(len(data))),
        objectives.ELBO(),
        rates,
        batch_size=batch_size,
        key=key,
    )


def test_every_row_and_every_step_has_draws_of_its_own():
    """The mean over n copies of one row scatters by 1/√n of what one of them does."""
    model = model_for(noise=0.05)
    copies = np.repeat(DATA[:1], 256, axis=0)
    each = over(
        lambda x, k: objectives.elbo_terms(model, x, key=k).elbo,
        np.repeat(DATA[:1], 4_000, axis=0),
        jax.random.split(jax.random.key(9), 4_000),
    )
    means = [float(still_epoch(model, copies, jax.random.key(seed))[1].value) for seed in range(60)]
    assert np.std(means) == pytest.approx(float(each.std()) / 16, rel=0.4)


def test_every_epoch_has_an_order_of_its_own():
    """With a decoder that ignores z, the order of the rows is all that a key can change."""
    model = blind(model_for(noise=0.5))

    def bias(seed):
        state, _ = still_epoch(model, DATA, jax.random.key(seed), rate=0.01)
        return np.asarray(state.params.decoder.layers[-1].bias)

    np.testing.assert_array_equal(bias(0), bias(0))
    assert np.abs(bias(0) - bias(1)).max() > 1e-3


def test_a_given_variance_is_out_of_the_optimisers_reach():
    """Weight decay writes even to what has no gradient."""
    model = model_for(noise=0.7)
    plan = Plan(max_epochs=3, weight_decay=0.5, learning_rate=0.01)
    run = fit(model, DATA, key=jax.random.key(1), plan=plan)
    assert float(run.model.noise.scale.given) == float(model.noise.scale.given)
    assert same(run.model.transform, model.transform)
    assert not same(run.model.decoder, model.decoder)


@pytest.mark.parametrize(
    ("noise", "count"), [(0.7, 0), ("shared", 1), ("feature", 6), ("conditional", 6)]
)
def test_the_optimiser_owns_the_networks_and_what_the_noise_learns(noise, count):
    model = model_for(noise=noise)
    params = eqx.filter(model, trainable(model))
    assert sum(a.size for a in arrays(params.noise)) == count
    assert arrays(params.transform) == []
    assert len(arrays(params.encoder)) == len(arrays(model.encoder))


def test_a_known_noise_variance_is_recovered():
    truth = wp.datasets.linear_gaussian(
        4_000, n_features=8, n_latents=2, noise_variance=0.25, seed=3
    )
    vae = textbook_vae(
        2, hidden=(64,), transform="identity", max_epochs=60, random_state=0, patience=None
    ).fit(truth.values)
    assert vae.noise_variance_ == pytest.approx(0.25, rel=0.06)
    shortfall = truth.log_density[:1_000].mean() - vae.score(truth.values[:1_000])
    # On the rows that it was fitted to, the best of p parameters exceeds the truth by p/2n, 0.003.
    assert -0.01 < shortfall < 0.4


def test_the_variance_after_training_is_the_mean_squared_residual():
    model = model_for(noise="shared")
    run = fit(model, DATA, key=jax.random.key(1), plan=Plan(max_epochs=5))
    m = run.model

    def residual(x, key):
        y = m.transform.forward(x, key=key).value
        return (y - m.decode(m.encode(y).rsample(key)).mean) ** 2

    squares = [
        over(residual, jnp.asarray(DATA), jax.random.split(jax.random.key(seed), len(DATA)))
        for seed in range(40)
    ]
    each = np.array([s.mean() for s in squares])
    assert float(m.noise.variance()) == pytest.approx(float(each.mean()), abs=4 * float(each.std()))


def test_every_row_of_a_partial_batch_counts_once():
    """An epoch that moves nothing reports the mean over all rows, whatever the batch size."""
    model = blind(model_for(noise=0.5))
    params, fixed = eqx.partition(model, trainable(model))
    still = Rates.of(Plan(learning_rate=1e-30), 1)
    rows = Rows.of(np.arange(97))
    values = []
    for size in (1, 10, 64, 97):
        _, metrics = run_epoch(
            initial_state(params),
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
    exact = over(lambda x, k: objectives.elbo_terms(model, x, key=k).elbo, DATA[:97], keys)
    np.testing.assert_allclose(values, float(exact.mean()), rtol=1e-5)


@pytest.mark.parametrize(
    "objective",
    [
        objectives.ELBO(),
        pytest.param(objectives.BetaELBO(3.0), marks=pytest.mark.slow),
        pytest.param(objectives.SquaredError(2.0), marks=pytest.mark.slow),
        objectives.IWAE(4),
    ],
    ids=str,
)
def test_training_and_held_out_objectives_are_one_function(objective):
    """On the same rows; a rate of two nats, so that its weight shows."""
    model = blind(model_for(noise=0.5))
    model = eqx.tree_at(lambda m: m.encoder.layers[-1].bias, model, jnp.full(4, 1.4))
    params, fixed = eqx.partition(model, trainable(model))
    data, rows = jnp.asarray(DATA), Rows.of(np.arange(len(DATA)))
    _, trained = run_epoch(
        initial_state(params),
        fixed,
        data,
        rows,
        objective,
        Rates.of(Plan(learning_rate=1e-30), 1),
        batch_size=100,
        key=jax.random.key(0),
    )
    held = held_out(params, fixed, data, rows, objective, batch_size=80, key=jax.random.key(1))
    assert float(trained.kl) > 2
    assert float(trained.kl) == pytest.approx(float(held.kl), rel=1e-5)
    assert float(trained.log_likelihood) == pytest.approx(float(held.log_likelihood), rel=1e-5)
    # The decoder ignores z, so that only importance weights leave Monte Carlo noise.
    noise = 0.2 if isinstance(objective, objectives.IWAE) else 1e-4
    assert float(trained.value) == pytest.approx(float(held.value), abs=noise)


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


class Kinked(objectives.AbstractObjective):
    """A finite value with a gradient that is not."""

    trains_noise = True
    refits_noise = False

    def __call__(self, model, x, *, key, annealing=1.0):
        found = objectives.ELBO()(model, x, key=key, annealing=annealing)
        bias = model.decoder.layers[-1].bias
        return eqx.tree_at(lambda e: e.value, found, found.value + jnp.sqrt(0.0 * bias).sum())

    def implied_noise_variance(self):
        return None


def test_a_gradient_that_is_not_finite_reaches_no_model():
    """In the last epoch no later value would give it away."""
    model = model_for(noise=0.5)
    plan = Plan(max_epochs=1, batch_size=len(DATA))
    run = fit(model, DATA, key=jax.random.key(1), plan=plan, objective=Kinked())
    assert run.outcome is Outcome.nonfinite
    assert same(run.model, model)


def test_a_value_that_is_not_finite_is_seen_in_either_part_of_the_rows():
    """One row that no check refused: with some of six keys trained on, with others held out."""
    wild, model = DATA.copy(), model_for(noise=0.5)
    wild[0] = np.nan
    for seed in range(6):
        run = fit(
            model,
            wild,
            key=jax.random.key(seed),
            plan=Plan(max_epochs=1, batch_size=250),
            validation_fraction=0.5,
        )
        assert run.outcome is Outcome.nonfinite
        assert same(run.model, model)


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


def test_every_callback_is_called_whatever_another_asks():
    calls = []
    asks = [lambda report, n=n: calls.append(n) or n == 0 for n in range(3)]
    run = fit(model_for(), DATA, key=jax.random.key(1), callbacks=asks)
    assert calls == [0, 1, 2]
    assert run.outcome is Outcome.interrupted


def test_the_history_is_of_the_models_that_were():
    seen = []
    run = fit(
        model_for(noise="feature"),
        DATA,
        key=jax.random.key(1),
        plan=Plan(max_epochs=4, learning_rate=0.01),
        callbacks=[lambda report: seen.append(float(report.model.noise.variance().mean()))],
    )
    table = run.history.table()
    np.testing.assert_allclose(table["noise_variance"], seen, rtol=1e-6)
    np.testing.assert_array_equal(table["epoch"], [1, 2, 3, 4])
    cosine = 0.5 * (1 + np.cos(np.pi * np.arange(1, 5) / 4))
    np.testing.assert_allclose(table["learning_rate"], 0.01 * cosine, atol=1e-8)


@pytest.mark.parametrize(("late", "settled"), [(1.0, True), (3.0, False)])
def test_a_training_has_settled_when_its_last_tenth_brings_a_five_hundredth(late, settled):
    curve = [*np.linspace(0.0, 1_000.0, 18), 1_000.0, 1_000.0 + late]
    history = History()
    for value in curve:
        history = history.with_epoch(Metrics(value, 0.0, 0.0, 0.0), None, 1.0, 1.0)
    assert history.settled == settled
    assert not History(history.rows[:9]).settled


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
        callbacks=[lambda report: seen.append(float(report.model.noise.scale.rho))],
    )
    assert seen == [float(model.noise.scale.rho)] * 3
    assert float(run.model.noise.scale.rho) != seen[0]
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
    before = _SOON._cached._cache_size()
    changed = Plan(max_epochs=3, learning_rate=0.01, clip_norm=5.0, kl_warmup=1, weight_decay=0.1)
    train("shared", objectives.ELBO(), changed, DATA + 1.0)
    train(0.1, objectives.BetaELBO(0.3), changed)
    assert _SOON._cached._cache_size() == before
    train("feature", objectives.ELBO(), changed)
    assert _SOON._cached._cache_size() == before + 1


def test_clipping_bounds_the_step_adam_takes_from_a_gradient():
    """Adam rescales, so the effect shows in its memory: the first moment after one step."""
    model = model_for(noise=0.5)
    params, fixed = eqx.partition(model, trainable(model))
    data, rows = jnp.asarray(DATA), Rows.of(np.arange(100))

    def first_moment(clip):
        state, metrics = run_epoch(
            initial_state(params),
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


def test_the_patience_begins_after_the_warm_up():
    """No epoch improves, at a learning rate of almost zero: ten of warm-up, then five."""
    plan = Plan(max_epochs=40, kl_warmup=10, patience=5, learning_rate=1e-30)
    run = fit(model_for(), DATA, key=jax.random.key(1), plan=plan, validation_fraction=0.2)
    assert run.best_epoch < 10
    assert len(run.history.rows) == 15
