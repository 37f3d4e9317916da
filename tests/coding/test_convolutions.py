"""Integer convolutions against whole-number sums tap by tap, and against the trained networks."""

import dataclasses
import math

import jax
import numpy as np
import pytest
from digit_models import digits, trained

from wellposed import evaluation
from wellposed._errors import SettingError
from wellposed.coding import row_codec_from_bytes
from wellposed.coding.build import integer_model
from wellposed.coding.build.networks import integer_network
from wellposed.coding.build.precision import Outputs, Precision
from wellposed.coding.integer import Activation, Convolution, Network
from wellposed.coding.network_state import network_from_state, network_state
from wellposed.coding.wire import pack, unpack
from wellposed.nn import LinearSkip, MakeConvDecoder, MakeConvEncoder, make_with_given

FINE = Precision(14, 14)


def convolution(rng, grid, channels, n, *, transposed) -> Convolution:
    kernel, bias = (
        rng.normal(size=(4, 4, channels, n)),
        rng.normal(size=channels if transposed else n),
    )
    return Convolution.rounded(
        kernel, bias, grid, transposed=transposed, in_bits=14, weight_bits=12, out_bits=14
    )


def tap_by_tap(layer: Convolution, x: np.ndarray) -> np.ndarray:
    """Whole sums of one image, in units of 2^-26, by loops over pixels and taps."""
    (h, w), n = layer.grid, len(layer.weight)
    taps = layer.weight.reshape(n, 4, 4, -1)
    c = taps.shape[-1]
    fine = x.reshape(2 * h, 2 * w, c) if not layer.transposed else np.zeros((2 * h, 2 * w, c), int)
    coarse = x.reshape(h, w, n) if layer.transposed else np.zeros((h, w, n), int)
    for i, j, a, b in np.ndindex(h, w, 4, 4):
        y, z = 2 * i + a - 1, 2 * j + b - 1
        if not (0 <= y < 2 * h and 0 <= z < 2 * w):
            continue
        if layer.transposed:
            fine[y, z] += coarse[i, j] @ taps[:, a, b]
        else:
            coarse[i, j] += taps[:, a, b] @ fine[y, z]
    return (fine if layer.transposed else coarse) + layer.bias


@pytest.mark.parametrize("transposed", [False, True])
def test_a_convolution_is_its_whole_sums_in_batches_of_any_size(transposed):
    rng = np.random.default_rng(0)
    layer = convolution(rng, (3, 2), 5, 4, transposed=transposed)
    x = rng.integers(-(2**24), 2**24, (layer.n_in, 11))
    out = np.floor(layer.sums(x.astype(float)))
    for i in range(11):
        whole = tap_by_tap(layer, x[:, i]).reshape(-1)
        assert out[:, i].tolist() == [(int(v) + 2**11) >> 12 for v in whole]
    parts = [layer.sums(x[:, i : i + 3].astype(float)) for i in range(0, 11, 3)]
    np.testing.assert_array_equal(np.floor(np.concatenate(parts, axis=1)), out)
    assert (
        np.abs(layer.sums(x.astype(float))) <= layer.most(np.full(len(x), 2.0**24))[:, None]
    ).all()


def outputs(n: int) -> Outputs:
    rng = np.random.default_rng(1)
    take = rng.permutation(n)[: n - 3]
    units = rng.uniform(0.1, 300, len(take)), rng.normal(size=len(take))
    return Outputs(take, *units, np.full(len(take), 12))


@pytest.mark.parametrize("images", [1, 2])
def test_an_integer_network_has_the_outputs_of_the_trained_one(images):
    size = (9, 12, 2)
    encoder = MakeConvEncoder(size, (3, 4))(images * 216, 6, key=jax.random.key(0))
    decoder = MakeConvDecoder(size, (3, 4), (5,))(6, images * 216, key=jax.random.key(1))
    rng = np.random.default_rng(2)
    given = make_with_given(
        MakeConvEncoder(size, (3, 4)), images * 216, 4, 6, key=jax.random.key(2)
    )
    cases = (
        (encoder, images * 216, 6),
        (decoder, 6, images * 216),
        (given, images * 216 + 4, 6),
    )
    for net, n_in, n_out in cases:
        units, x = outputs(n_out), rng.normal(size=(7, n_in))
        twin = integer_network(net, units, FINE, role="network")
        twin.check(np.full(n_in, 8 * 2.0**14), name="network")
        with jax.enable_x64(True):
            real = np.asarray(jax.vmap(net)(jax.numpy.asarray(np.rint(x * 2.0**14) * 2.0**-14)))
        ours = twin(np.rint(x.T * 2.0**14)).T * 2.0**-12
        expected = real[:, units.take] * units.times + units.plus
        np.testing.assert_allclose(ours, expected, atol=2.0**-11 + 3e-4 * units.times.max())
        again = network_from_state(unpack(pack({"net": network_state(twin)}))["net"])
        np.testing.assert_array_equal(again(np.rint(x.T * 2.0**14)), twin(np.rint(x.T * 2.0**14)))


def test_convolutions_whose_sums_may_round_are_refused():
    layer = convolution(np.random.default_rng(0), (2, 2), 3, 3, transposed=False)
    network = Network((layer,), Activation("relu", 14))
    network.check(np.full(layer.n_in, 2.0**30), name="encoder")
    with pytest.raises(SettingError, match=r"below 2\^53"):
        network.check(np.full(layer.n_in, 2.0**42), name="encoder")


def test_rows_come_back_through_convolutions_and_cost_their_bound():
    model, rows = trained("logistic"), digits()[:800]
    keys = jax.random.split(jax.random.key(0), 3)
    n_raw = model.noise.n_raw
    encoder = MakeConvEncoder((8, 8), (6, 5))(64, 8, key=keys[0])
    inner = MakeConvDecoder((8, 8), (6, 5))(4, n_raw * 64, key=keys[1])
    weight, bias = jax.random.normal(keys[2], (4, 64)), 0.1 * jax.numpy.ones(n_raw * 64)
    decoder = LinearSkip(0.2 * weight, bias, inner)
    model = dataclasses.replace(model, encoder=encoder, decoder=decoder)
    codec = integer_model(model)
    payload = codec.encode(rows)
    np.testing.assert_array_equal(codec.decode(payload, len(rows)), rows)
    again = row_codec_from_bytes(codec.to_bytes())
    np.testing.assert_array_equal(again.decode(payload, len(rows)), rows)
    terms = evaluation.elbo(model, rows, n_samples=4, key=jax.random.key(0))
    bound = -np.asarray(terms.elbo, np.float64) / math.log(2)
    net = codec.rate(rows).net
    error = np.std(net - bound) / math.sqrt(len(rows))
    assert abs(net.mean() - bound.mean()) < 3 * error + 0.002 * bound.mean()
