"""The aggressive encoder phase: who moves, for how long, and that it can stop and go on."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_training_fit import DATA, arrays, model_for, same
from test_training_resume import interrupt_after

import wellposed as wp
from textbook import textbook_vae
from wellposed import objectives
from wellposed.models import trainable
from wellposed.training import History, Plan, _epoch, _lagging, fit
from wellposed.training._epoch import initial_state
from wellposed.training._history import COLUMNS, LAGGING
from wellposed.training._lagging import information, is_aggressive
from wellposed.training._optimiser import Moments, Parts, Rates, split_encoder, update
from wellposed.training._rows import Rows

KEY = jax.random.key(7)
run_epoch = eqx.filter_jit(_epoch.run_epoch)
run_lagging_epoch = eqx.filter_jit(_lagging.run_lagging_epoch)


def epoch(model, *, encoder_steps, rate=0.01, data=DATA, batch_size=100):
    params, fixed = eqx.partition(model, trainable(model))
    state, metrics, steps = run_lagging_epoch(
        initial_state(params, parts=True),
        fixed,
        jnp.asarray(data),
        Rows.of(np.arange(len(data))),
        objectives.ELBO(),
        Rates.of(Plan(learning_rate=rate, decay=False), 1),
        batch_size=batch_size,
        encoder_steps=jnp.asarray(encoder_steps),
        key=KEY,
    )
    return eqx.combine(state.params, fixed), state, metrics, float(steps)


def test_the_decoder_takes_one_step_a_batch_and_the_encoder_as_many_as_allowed():
    _, state, _, steps = epoch(model_for(), encoder_steps=7)
    assert int(state.step) == int(state.memory.rest.count) == 5
    assert steps == 7
    assert int(state.memory.encoder.count) == 35


def test_the_decoders_step_leaves_the_encoder_alone():
    """Without steps of its own the encoder stays where it was, moments and all."""
    model = model_for()
    moved, state, _, steps = epoch(model, encoder_steps=0)
    assert steps == 0
    assert same(moved.encoder, model.encoder)
    assert not same(moved.decoder, model.decoder)
    assert float(moved.noise.variance()) != float(model.noise.variance())
    assert all((np.asarray(a) == 0).all() for a in arrays(state.memory.encoder))


def test_the_encoders_steps_leave_the_decoder_alone():
    """Decoder steps of no length: what changes is the encoder, and the ELBO rises all the same."""
    model = model_for(noise=0.05, hidden=(32,))
    params, _ = eqx.partition(model, trainable(model))
    encoder, rest = split_encoder(params)
    assert same(eqx.combine(encoder, rest), params)
    assert not arrays(encoder.decoder)
    assert not arrays(rest.encoder)
    before = epoch(model, encoder_steps=0, rate=1e-30)[2]
    moved, _, after, _ = epoch(
        eqx.tree_at(lambda m: m.decoder, model, model.decoder), encoder_steps=40, rate=3e-3
    )
    still, _, after_none, _ = epoch(model, encoder_steps=0, rate=3e-3)
    assert float(after.value) > float(after_none.value) > float(before.value)
    assert not same(moved.encoder, still.encoder)


def test_the_encoder_stops_when_it_gains_nothing():
    """At a rate of zero, windows gain by chance only; far from the optimum each one gains."""
    model = model_for(noise=0.5)
    assert epoch(model, encoder_steps=1_000, rate=1e-30)[3] < 100
    astray = eqx.tree_at(lambda m: m.encoder.layers[-1].bias, model, jnp.full(4, 20.0))
    assert epoch(astray, encoder_steps=1_000, batch_size=500)[3] > 300


def test_two_memories_move_as_one_would():
    """The same gradient in both parts: Adam's step is the same number by number."""
    params, _ = eqx.partition(model_for(), trainable(model_for()))
    rates = Rates.of(Plan(clip_norm=0.5, weight_decay=0.1), 10)
    gradient = jax.tree.map(jnp.cos, params)
    one, two, whole, parts = params, params, Moments.of(params), Parts.of(params)
    for step in range(3):
        arguments = (rates, jnp.asarray(float(step)), jnp.asarray(3.0))
        one, whole = update(one, gradient, whole, *arguments)
        two, parts = update(two, gradient, parts, *arguments)
    assert same(one, two)


def test_a_plain_epoch_takes_either_memory():
    params, fixed = eqx.partition(model_for(), trainable(model_for()))
    rates = Rates.of(Plan(), 5)
    reached = [
        run_epoch(
            initial_state(params, parts=choice),
            fixed,
            jnp.asarray(DATA),
            Rows.of(np.arange(len(DATA))),
            objectives.ELBO(),
            rates,
            batch_size=100,
            key=KEY,
        )[0]
        for choice in (False, True)
    ]
    for one, two in zip(*(arrays(state.params) for state in reached), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("seen", "goes_on"),
    [
        ([], True),
        ([0.1], True),
        ([0.1, 0.2, 0.5], True),
        ([0.1, 0.2, 0.2], False),
        ([0.1, 0.05], False),
        ([0.1, 0.05, np.nan], False),
        ([0.1, 0.05, np.nan, np.nan], False),
        ([0.1, 2.6], False),  # of fourteen rows: log 14 is 2.64
        ([0.1, 2.6, np.nan], False),
    ],
)
def test_the_phase_lasts_while_the_information_rises_and_never_comes_back(seen, goes_on):
    columns = (*COLUMNS, *LAGGING)
    place = columns.index("mutual_information")
    rows = tuple(tuple(v if i == place else 0.0 for i in range(len(columns))) for v in seen)
    assert is_aggressive(Plan(encoder_steps=5), History(rows, columns), 14) == goes_on


def test_the_information_is_that_of_the_codes():
    """The information of an encoder with two well-separated codes: log 2."""
    model = model_for(noise=0.5, k=1, hidden=())
    weight = jnp.zeros_like(model.encoder.layers[0].weight).at[0, 0].set(1e4)
    bias = jnp.array([0.0, -1.0])
    model = eqx.tree_at(
        lambda m: (m.encoder.layers[0].weight, m.encoder.layers[0].bias), model, (weight, bias)
    )
    middle = np.asarray(model.transform.inverse(jnp.zeros(6)))
    data = middle + np.repeat(np.array([[-1.0], [1.0]]), 200, axis=0) * np.eye(1, 6)
    data, rows = jnp.asarray(data, jnp.float32), Rows.of(np.arange(400))
    found = information(model, data, rows, key=KEY)
    assert found == pytest.approx(np.log(2), abs=1e-3)
    silent = eqx.tree_at(lambda m: m.encoder.layers[0].weight, model, 0 * weight)
    assert (
        information(silent, jnp.asarray(data, jnp.float32), Rows.of(np.arange(400)), key=KEY) < 1e-3
    )


PLAN = Plan(max_epochs=12, kl_warmup=4, encoder_steps=15, learning_rate=0.01)
SETTINGS = {"key": jax.random.key(4), "plan": PLAN, "validation_fraction": 0.2}


def test_the_history_tells_when_the_phase_ended():
    run = fit(model_for(), DATA, **SETTINGS)
    seen, steps = (run.history.column(name) for name in LAGGING)
    measured = ~np.isnan(seen)
    last = measured.sum()
    assert 1 < last < 12
    assert measured[:last].all()
    assert (np.diff(seen[:last])[:-1] > 0).all()
    assert seen[last - 1] <= seen[last - 2]
    assert (steps[:last] > 0).all()
    assert (steps[last:] == 0).all()
    table = run.history.table()
    again = History.of(table)
    assert again.columns == run.history.columns
    np.testing.assert_array_equal(again.rows, run.history.rows)


def test_plain_training_has_no_such_columns():
    run = fit(model_for(), DATA, key=KEY, plan=Plan(max_epochs=2))
    assert tuple(run.history.table()) == COLUMNS


@pytest.mark.parametrize("epochs", [1, 3, 8])
def test_an_interrupted_phase_ends_where_an_uninterrupted_one_does(tmp_path, epochs):
    """Stopped within the phase, and after it: which it is must be known again."""
    whole = fit(model_for(), DATA, **SETTINGS)
    path = tmp_path / "training.ckpt"
    fit(model_for(), DATA, checkpoint=path, callbacks=[interrupt_after(epochs)], **SETTINGS)
    resumed = fit(model_for(), DATA, checkpoint=path, **SETTINGS)
    assert same(resumed.model, whole.model)
    np.testing.assert_array_equal(resumed.history.rows, whole.history.rows)


@pytest.mark.slow
def test_the_setting_reaches_the_plan_and_outlives_the_file(tmp_path):
    vae = textbook_vae(2, encoder_steps=5, hidden=(8,), max_epochs=6, random_state=0, patience=None)
    with pytest.warns(wp.TrainingWarning):
        vae.fit(DATA)
    assert vae.history_["encoder_steps"][0] == 5
    vae.save(tmp_path / "model.wp")
    again = wp.load(tmp_path / "model.wp")
    assert again.encoder_steps == 5
    again.partial_fit(DATA)
    assert len(again.history_["mutual_information"]) == 7
    with pytest.raises(wp.SettingError, match="encoder_steps"):
        textbook_vae(2, encoder_steps=-1).fit(DATA)
    with pytest.raises(wp.SettingError, match="encoder_steps"):
        Plan(encoder_steps=-1)
