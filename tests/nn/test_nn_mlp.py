"""Fully connected networks."""

import pickle

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from wellposed._errors import SettingError
from wellposed.nn import MLP, Linear, MakeConvDecoder, MakeMLP

KEY = jax.random.key(0)


def test_it_is_alternating_products_and_activations():
    net = MakeMLP((4, 5), "tanh")(3, 2, key=KEY)
    x = jnp.array([0.3, -1.0, 2.0])
    a, b, c = net.layers
    want = jnp.tanh(jnp.tanh(x @ a.weight + a.bias) @ b.weight + b.bias) @ c.weight + c.bias
    np.testing.assert_allclose(net(x), want, rtol=1e-6)


def test_no_hidden_layer_is_one_linear_map():
    net = MakeMLP(())(3, 2, key=KEY)
    assert len(net.layers) == 1
    np.testing.assert_array_equal(net(jnp.zeros(3)), jnp.zeros(2))


def test_equal_weights_and_activations_are_what_an_mlp_holds():
    net = MLP((Linear(jnp.eye(2), jnp.ones(2)),), "relu")
    assert [a.shape for a in jax.tree.leaves(net)] == [(2, 2), (2,)]


@pytest.mark.parametrize(("activation", "gain"), [("relu", 2.0), ("tanh", 1.0)])
def test_weights_and_biases_have_the_variance_that_keeps_a_signal(activation, gain):
    *inner, last = MakeMLP((300, 200), activation)(100, 400, key=KEY).layers
    stds = [(gain / (layer.weight.shape[0] + 1)) ** 0.5 for layer in inner]
    drawn = [(array, std) for layer, std in zip(inner, stds, strict=True)
             for array in (layer.weight, layer.bias)]  # fmt: skip
    for array, std in [*drawn, (last.weight, 0.1 * (gain / 200) ** 0.5)]:
        # Standard error of a standard deviation: std / sqrt(2 n); four of them.
        assert abs(float(array.std()) - std) < 4 * std / (2 * array.size) ** 0.5
        assert abs(float(array.mean())) < 4 * std / array.size**0.5
    assert not last.bias.any()


@pytest.mark.parametrize("make", [MakeMLP((64, 64)), MakeConvDecoder((8, 8), (4, 8))])
def test_a_fresh_relu_decoder_tells_more_of_z_than_its_angle(make):
    net = make(2, 64, key=KEY)
    z = jnp.array([0.6, -0.8])
    once, twice = net(z), net(2 * z)
    # Were it homogeneous, twice would be 2 once.
    assert float(jnp.abs(twice - 2 * once).max()) > 0.1 * float(jnp.abs(twice).max())


def test_layers_do_not_share_their_draws():
    first, second = MakeMLP((6,), "tanh")(6, 6, key=KEY).layers
    correlation = np.corrcoef(first.weight.ravel(), second.weight.ravel())[0, 1]
    assert abs(correlation) < 0.7


def test_keys_decide():
    make = MakeMLP((4,))
    same, other = make(3, 2, key=KEY), make(3, 2, key=jax.random.key(1))
    assert eqx.tree_equal(make(3, 2, key=KEY), same)
    assert not eqx.tree_equal(other, same)


def test_makers_and_networks_pickle_and_hash():
    make = MakeMLP([4], "gelu")
    again = pickle.loads(pickle.dumps(make))
    assert again == make
    assert hash(again) == hash(make)
    net = make(3, 2, key=KEY)
    assert eqx.tree_equal(pickle.loads(pickle.dumps(net)), net)
    hash(jax.tree.structure(net))


def test_equal_shapes_compile_once():
    traces = []

    @jax.jit
    def run(net, x):
        traces.append(1)
        return net(x)

    for seed in (0, 1):
        run(MakeMLP((4,))(3, 2, key=jax.random.key(seed)), jnp.ones(3))
    assert len(traces) == 1


def test_a_second_network_costs_no_compilation():
    MakeMLP((7,))(3, 2, key=KEY)
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        listener := lambda name, *_, **__: compiled.append(name)
    )
    try:
        MakeMLP((7,))(3, 2, key=jax.random.key(3))
    finally:
        jax.monitoring.unregister_event_duration_listener(listener)
    assert not [name for name in compiled if "backend_compile" in name]


def test_unknown_activations_suggest_the_closest():
    with pytest.raises(SettingError, match=r"got 'rellu'. Did you mean 'relu'"):
        MakeMLP((4,), "rellu")
    with pytest.raises(SettingError, match="activation must be"):
        MakeMLP((4,), jax.nn.relu)


@pytest.mark.parametrize("hidden", [(0,), (4.5,), 4, "ab", (-1,)])
def test_widths_must_be_positive_integers(hidden):
    with pytest.raises(SettingError, match="hidden must be a sequence of whole numbers ≥ 1"):
        MakeMLP(hidden)
