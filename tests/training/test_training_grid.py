"""Trainings of one shape at once take the course that each takes alone."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_training_fit import DATA, arrays, model_for

import wellposed as wp
from wellposed.noise import Gaussian
from wellposed.objectives import BetaELBO
from wellposed.training import Member, Outcome, Plan, _refit, fit, fit_grid
from wellposed.training._course import Course
from wellposed.training.grid import together as _together

ROWS = DATA[:150]
PLAN = {"max_epochs": 4, "batch_size": 32}
# One shape: other seeds, prices, rates, warm-ups, starts; one that stops early, one that blows up.
MANY = (
    {"seed": 1},
    {"seed": 2, "beta": 4.0},
    {"learning_rate": 0.01, "clip_norm": 2.0},
    {"kl_warmup": 2},
    {"noise": Gaussian("shared", initial=2.0)},
    {"learning_rate": 1e-30, "patience": 1},
    {"learning_rate": 1e38, "weight_decay": 1e38},
)


def members_of(*settings):
    return [
        Member(
            model_for(noise=given.get("noise", "shared")),
            jax.random.key(given.get("seed", 0)),
            BetaELBO(given.get("beta", 1.0)),
            Plan(**PLAN | {k: v for k, v in given.items() if k not in ("noise", "seed", "beta")}),
            validation_fraction=0.2,
        )
        for given in settings
    ]


def assert_same_course(found, expected, rtol):
    for a, b in zip(found, expected, strict=True):
        assert a.outcome is b.outcome
        for name in b.history.columns:
            np.testing.assert_allclose(
                a.history.column(name), b.history.column(name), rtol=rtol, err_msg=name
            )
        for x, y in zip(arrays(a.model), arrays(b.model), strict=True):
            np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol)


@pytest.fixture(scope="module")
def alone():
    with jax.enable_x64(True):
        return fit_grid(members_of(*MANY), ROWS, together=False)


@pytest.fixture(scope="module")
def together():
    with jax.enable_x64(True):
        return fit_grid(members_of(*MANY), ROWS, together=True)


def test_each_takes_the_course_it_takes_alone(alone, together, x64):
    """To rounding, in float64."""
    assert_same_course(together, alone, 1e-8)
    first = members_of(MANY[0])[0]
    single = fit(
        first.model,
        ROWS,
        key=first.key,
        objective=first.objective,
        plan=first.plan,
        validation_fraction=first.validation_fraction,
    )
    assert_same_course(alone[:1], [single], 0.0)


def test_one_that_ends_stands_still_while_the_others_go_on(together):
    ended = [run.outcome for run in together]
    assert ended == [*[Outcome.budget_spent] * 5, Outcome.converged, Outcome.nonfinite]
    assert [len(run.history.rows) for run in together] == [4, 4, 4, 4, 4, 2, 0]
    assert "learning_rate" in together[-1].reason
    assert all(np.isfinite(leaf).all() for leaf in arrays(together[-1].model))


def test_an_interrupted_grid_goes_on_and_ends_the_same(together, tmp_path, monkeypatch, x64):
    steps, settled = [], _together._keep

    def stops(*given):
        steps.append(1)
        if len(steps) == 3:
            raise KeyboardInterrupt
        return settled(*given)

    monkeypatch.setattr(_together, "_keep", stops)
    cut = fit_grid(members_of(*MANY), ROWS, together=True, folder=tmp_path)
    assert [run.outcome for run in cut[:5]] == [Outcome.interrupted] * 5
    assert [len(run.history.rows) for run in cut[:5]] == [2] * 5
    monkeypatch.undo()
    again = fit_grid(members_of(*MANY), ROWS, together=True, folder=tmp_path)
    assert_same_course(again, together, 0.0)
    with pytest.raises(wp.SettingError, match="other data or settings"):
        fit_grid(members_of(*MANY), ROWS + 1, together=True, folder=tmp_path)


def test_a_change_of_numbers_compiles_nothing(together, x64):
    before = _together._train_epochs._cached._cache_size()
    changed = [given | {"learning_rate": 0.003, "weight_decay": 0.1, "beta": 2.0} for given in MANY]
    fit_grid(members_of(*changed), ROWS + 1, together=True)
    assert _together._train_epochs._cached._cache_size() == before


def test_members_of_another_shape_are_another_program():
    members = members_of({}, {"noise": 0.5}, {"seed": 1}, {"noise": 0.1}, {"max_epochs": 5})
    shapes = [_together.common_shape(member, len(ROWS), jnp.asarray(ROWS)) for member in members]
    assert shapes[0] == shapes[2] != shapes[1] == shapes[3]
    assert shapes[4] not in shapes[:4]
    phased = members_of({"encoder_steps": 5})[0]
    assert _together.common_shape(phased, len(ROWS), jnp.asarray(ROWS)) is None


_SPREAD = """
import sys
import jax
sys.path.insert(0, {folder!r})
from test_training_grid import MANY, ROWS, assert_same_course, members_of
from wellposed.training import fit_grid
jax.config.update("jax_enable_x64", True)
assert len(jax.devices()) == 3
found = fit_grid(members_of(*MANY), ROWS)
assert_same_course(found, fit_grid(members_of(*MANY), ROWS, together=False), 1e-8)
"""


@pytest.mark.slow
def test_members_are_spread_over_all_devices():
    """Three devices made of the CPU; seven members, so that two are filled up."""
    script = _SPREAD.format(folder=str(Path(__file__).parent))
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=3"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | flags, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_member_is_checked_before_any_trains():
    good, bad = members_of({"seed": 1}, {"noise": Gaussian("feature", floor=0.0)})
    with pytest.raises(wp.UnboundedLikelihoodError):
        fit_grid([good, bad], ROWS, on_end=lambda i, run: pytest.fail("trained"))
    with pytest.raises(wp.SettingError, match="together"):
        fit_grid([good], ROWS, together="yes")


@pytest.mark.parametrize("together", [True, False])
def test_every_epoch_is_decided_by_one_state_machine(monkeypatch, together):
    """What a single fit does after an epoch, a member of a grid does: one function for both."""
    decided, after = [], Course.after

    def counted(self, figures, *information):
        decided.append(type(figures))
        return after(self, figures, *information)

    monkeypatch.setattr(Course, "after", counted)
    runs = fit_grid(members_of({}, {"seed": 1}), ROWS, together=together)
    assert len(decided) == sum(len(run.history.rows) for run in runs) == 8


def test_the_program_that_refits_all_calls_no_other(monkeypatch):
    """A compiled function with options of its own cannot be nested in another."""

    def never(*_, **__):
        raise AssertionError("nested")

    monkeypatch.setattr(_refit, "_SOLVE", never)
    fit_grid(members_of({}, {"seed": 1}), ROWS, together=True)
