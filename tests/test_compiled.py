"""How programs that run a few times are compiled."""

import importlib

import jax
import jax.numpy as jnp
import pytest

from wellposed import _compiled

LEVEL = "xla_backend_optimization_level"


@pytest.fixture
def under(monkeypatch):
    def reloaded(flags: str):
        monkeypatch.setenv("XLA_FLAGS", flags)
        return importlib.reload(_compiled)

    yield reloaded
    monkeypatch.undo()
    importlib.reload(_compiled)


@pytest.mark.parametrize(
    ("flags", "options"),
    [("", {LEVEL: 2}), ("--xla_cpu_enable_fast_math=false", {LEVEL: 2}), (f"--{LEVEL}=0", {})],
)
def test_a_level_that_the_user_gives_wins(under, flags, options):
    reloaded = under(flags)
    assert options == reloaded.OPTIONS
    assert reloaded.compiled_soon(jnp.sin)(jnp.ones(())) == pytest.approx(float(jnp.sin(1.0)))


def test_the_option_is_one_that_the_compiler_knows():
    with pytest.raises(Exception, match="no_such_level"):
        jax.jit(jnp.sin, compiler_options={"no_such_level": 2})(jnp.ones(3))
    jax.jit(jnp.sin, compiler_options={LEVEL: 2})(jnp.ones(3))
