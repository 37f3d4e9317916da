"""Networks written with Flax NNX."""

import pickle
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from wellposed._errors import SettingError
from wellposed.nn import check_network, from_flax

nnx = pytest.importorskip("flax.nnx")
KEY = jax.random.key(0)


class Net(nnx.Module):
    def __init__(self, n_in, n_out, rngs):
        self.inner = nnx.Linear(n_in, 8, rngs=rngs)
        self.norm = nnx.LayerNorm(8, rngs=rngs)
        self.outer = nnx.Linear(8, n_out, rngs=rngs)

    def __call__(self, x):
        return self.outer(jnp.tanh(self.norm(self.inner(x))))


class Normalised(nnx.Module):
    def __init__(self, n_in, n_out, rngs):
        self.norm = nnx.BatchNorm(n_in, rngs=rngs)


class Dropping(nnx.Module):
    def __init__(self, n_in, n_out, rngs):
        self.drop = nnx.Dropout(0.5, rngs=rngs)


class Counting(nnx.Module):
    def __init__(self, n_in, n_out, rngs):
        self.count = nnx.Variable(jnp.zeros(()))


def test_it_computes_what_the_module_does():
    net = from_flax(Net)(3, 4, key=KEY)
    check_network(net, 3, 4)
    x = jnp.arange(3.0)
    np.testing.assert_allclose(net(x), Net(3, 4, rngs=nnx.Rngs(KEY))(x), rtol=1e-6)


def test_its_leaves_are_arrays_and_take_gradients():
    net = from_flax(Net)(3, 4, key=KEY)
    leaves = jax.tree.leaves(net)
    assert len(leaves) == 6
    assert all(isinstance(a, jax.Array) for a in leaves)

    def loss(net):
        return jnp.sum(jax.vmap(net)(jnp.ones((2, 3))) ** 2)

    assert all(jnp.abs(g).max() > 0 for g in jax.tree.leaves(jax.jit(jax.grad(loss))(net))[-2:])


def test_equal_shapes_compile_once():
    traces = []

    @jax.jit
    def run(net, x):
        traces.append(1)
        return net(x)

    for seed in (0, 1):
        run(from_flax(Net)(3, 4, key=jax.random.key(seed)), jnp.ones(3))
    assert len(traces) == 1


def test_it_pickles():
    make = from_flax(Net)
    assert pickle.loads(pickle.dumps(make)) == make
    net = make(3, 4, key=KEY)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(net))(jnp.ones(3)), net(jnp.ones(3)))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (Normalised, r"BatchStat at norm\.\w+: batch statistics.*LayerNorm"),
        (Dropping, r"Rng\w+ at drop.*Leave out Dropout"),
        (Counting, "Variable at count.*Keep only"),
        (lambda n_in, n_out, rngs: jnp.tanh, "must return a flax.nnx.Module"),
    ],
    ids=["batch statistics", "dropout", "other state", "no module"],
)
def test_anything_beside_parameters_is_refused_with_the_reason(build, message):
    with pytest.raises(SettingError, match=message):
        from_flax(build)(3, 4, key=KEY)


def test_a_builder_must_be_callable():
    with pytest.raises(SettingError, match="must be given a builder"):
        from_flax("Net")


def test_missing_flax_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "flax", None)
    with pytest.raises(SettingError, match="pip install flax"):
        from_flax(Net)(3, 4, key=KEY)
