"""What is refused as a network, and what a name resolves to."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest

from wellposed._errors import SettingError
from wellposed.nn import (
    MakeConvDecoder,
    MakeConvEncoder,
    MakeMLP,
    MakeNetwork,
    check_network,
    make_network,
    resolve,
)

W = jnp.ones((3, 2))


class Affine(eqx.Module):
    weight: jax.Array

    def __call__(self, x):
        return x @ self.weight


def plain(x):
    return x[:2]


@pytest.mark.parametrize(
    "hiding",
    [lambda x: x @ W, plain, functools.partial(lambda w, x: x @ w, W), jnp.tanh],
    ids=["lambda", "function", "partial", "jax function"],
)
def test_hidden_weights_are_refused_with_the_remedy(hiding):
    with pytest.raises(SettingError, match=r"no floating array.*equinox.Module"):
        check_network(hiding, 3, 2)


def test_weights_of_integers_are_no_weights():
    with pytest.raises(SettingError, match="no floating array"):
        check_network(Affine(jnp.ones((3, 2), int)), 3, 2)


@pytest.mark.parametrize(
    "net",
    [
        Affine(W),
        jax.tree_util.Partial(lambda w, x: x @ w, W),
        eqx.nn.MLP(3, 2, 4, 1, key=jax.random.key(0)),
    ],
    ids=["module", "jax partial", "equinox MLP"],
)
def test_pytrees_pass(net):
    check_network(net, 3, 2)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (Affine(jnp.ones((3, 4))), r"to \(2,\).*shape \(4,\)"),
        (Affine(jnp.ones((5, 2))), "fails on it with"),
        (Affine(W + 0j), "no floating array|real floating"),
        (jax.tree_util.Partial(lambda w, x: (x @ w).astype(int), W), "returns int"),
        (jax.tree_util.Partial(lambda w, x: (x @ w, x), W), "tuple object"),
        (W, "callable on one vector"),
    ],
)
def test_wrong_outputs_are_named(net, message):
    with pytest.raises(SettingError, match=message):
        check_network(net, 3, 2)


def test_what_a_maker_returns_is_checked():
    net = make_network(MakeMLP((4,)), 3, 2, key=jax.random.key(0))
    assert net(jnp.ones(3)).shape == (2,)
    with pytest.raises(SettingError, match="no floating array"):
        make_network(lambda n_in, n_out, *, key: plain, 3, 2, key=jax.random.key(0))


def test_names_resolve_to_makers():
    assert resolve("mlp", role="encoder", hidden=(5,), activation="tanh") == MakeMLP((5,), "tanh")
    shape = (8, 8)
    assert resolve("mlp", role="encoder", hidden=(9, 5)).hidden == (9, 5)
    assert resolve("mlp", role="decoder", hidden=(9, 5)).hidden == (5, 9)
    found = resolve("conv", role="encoder", image_shape=shape, activation="elu")
    assert found == MakeConvEncoder(shape, activation="elu")
    assert resolve("conv", role="decoder", image_shape=shape) == MakeConvDecoder(shape)
    own = MakeMLP((2,))
    assert resolve(own, role="decoder") is own
    assert isinstance(own, MakeNetwork)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("conv", r"image_shape=None. Pass image_shape="),
        ("mpl", r"decoder must be one of.*Did you mean 'mlp'"),
        (3, "a maker; got 3"),
    ],
)
def test_what_resolves_to_nothing_is_refused(network, message):
    with pytest.raises(SettingError, match=message):
        resolve(network, role="decoder")
