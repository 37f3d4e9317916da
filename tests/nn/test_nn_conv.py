"""Convolutional networks: sizes, layouts, and the oracle of an explicit convolution."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from once import over
from wellposed._errors import SettingError
from wellposed.nn import MakeConvDecoder, MakeConvEncoder, _pyramid

SHAPES = [(4, 4), (7, 9), (28, 20), (8, 8, 3), (5, 33, 2)]
KEY = jax.random.key(0)


@pytest.mark.parametrize("shape", SHAPES)
def test_any_size_maps_vectors_of_the_right_lengths(shape):
    d = int(np.prod(shape))
    encoder = MakeConvEncoder(shape, hidden=(10,))(d, 6, key=KEY)
    decoder = MakeConvDecoder(shape, hidden=(10,))(3, 2 * d, key=KEY)
    assert jax.eval_shape(encoder, jnp.zeros(d)).shape == (6,)
    assert jax.eval_shape(decoder, jnp.zeros(3)).shape == (2 * d,)
    assert all(isinstance(a, jax.Array) for a in jax.tree.leaves((encoder, decoder)))


def test_encoder_is_the_padded_convolution_and_a_linear_head():
    with jax.enable_x64(True):
        net = MakeConvEncoder((5, 7, 2), (3,), activation="tanh")(70, 4, key=KEY)
        y = jax.random.normal(KEY, (70,))
        image = jnp.pad(y.reshape(5, 7, 2), ((0, 1), (0, 1), (0, 0)))[None]
        (kernel,) = net.kernels
        numbers = ("NHWC", "HWIO", "NHWC")
        h = lax.conv_general_dilated(
            image, kernel.weight, (2, 2), [(1, 1), (1, 1)], dimension_numbers=numbers
        )
        want = net.head(jnp.tanh(h[0] + kernel.bias[None, None]).reshape(-1))
        np.testing.assert_allclose(net(y), want, rtol=1e-10)


def test_several_images_of_a_datum_are_channels_of_one():
    both = MakeConvEncoder((6, 4), (3,))(48, 5, key=KEY)
    one = MakeConvEncoder((6, 4, 2), (3,))(48, 5, key=KEY)
    images = jax.random.normal(KEY, (2, 6, 4))
    channels_last = jnp.moveaxis(images, 0, -1).reshape(-1)
    np.testing.assert_array_equal(both(images.reshape(-1)), one(channels_last))


def test_decoder_lays_parameters_out_group_by_group():
    shape, d = (6, 4, 3), 72
    net = MakeConvDecoder(shape)(2, 2 * d, key=KEY)
    last = net.kernels[-1]
    # A bias of (parameter, channel) must come out as raw.reshape(n_raw, H, W, C).
    bias = jnp.arange(6.0)
    flat = jax.tree.map(jnp.zeros_like, net.kernels[:-1]), jnp.zeros_like(last.weight)
    kernels = (*flat[0], type(last)(flat[1], bias))
    raw = type(net)(net.head, kernels, net.pyramid, net.n_raw, net.activation)(jnp.ones(2))
    want = jnp.broadcast_to(bias.reshape(2, 1, 1, 3), (2, *shape))
    np.testing.assert_array_equal(raw.reshape(2, *shape), want)


def test_pixels_come_out_where_a_delta_at_the_grid_puts_them():
    # Kernel taps 1 and 2 of both axes are the two pixels under a coarse cell.
    net = MakeConvDecoder((4, 4), (1,))(1, 16, key=KEY)
    taps = jnp.zeros((4, 4, 1, 1)).at[1:3, 1:3].set(1.0)
    kernel = type(net.kernels[0])(taps, jnp.zeros(1))
    layer = type(net.head.layers[0])(jnp.zeros((1, 4)), jnp.array([0.0, 1.0, 2.0, 3.0]))
    head = type(net.head)((layer,), "relu")
    image = type(net)(head, (kernel,), net.pyramid, 1, "relu")(jnp.zeros(1)).reshape(4, 4)
    np.testing.assert_array_equal(image, [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]])


def test_a_batch_maps_as_its_images_do():
    net = MakeConvEncoder((12, 8))(96, 5, key=KEY)
    y = jax.random.normal(KEY, (4, 96))
    np.testing.assert_allclose(over(net, y), jnp.stack([net(v) for v in y]), atol=1e-6)


def test_a_fresh_decoder_is_near_a_constant():
    net = MakeConvDecoder((16, 16))(4, 256, key=KEY)
    raw = over(net, jax.random.normal(KEY, (20, 4)))
    assert 0 < float(raw.std()) < 0.3


def test_layers_grow_with_the_image_and_padding_reaches_the_stride():
    plan = _pyramid.plan_pyramid
    grids = {s: len(plan((s, s, 1), None).channels) for s in (4, 8, 16, 28, 32, 64, 256)}
    assert grids == {4: 1, 8: 1, 16: 2, 28: 3, 32: 3, 64: 4, 256: 4}
    assert plan((28, 28, 1), None).padding == ((2, 2), (2, 2), (0, 0))


def test_makers_and_networks_pickle_and_hash():
    make = MakeConvDecoder((8, 8), [16])
    again = pickle.loads(pickle.dumps(make))
    assert again == make
    assert hash(again) == hash(make)
    net = make(2, 64, key=KEY)
    z = jnp.ones(2)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(net))(z), net(z))


@pytest.mark.parametrize("make", [MakeConvEncoder((8, 4), (4,)), MakeConvDecoder((8, 4), (4,))])
def test_equal_shapes_compile_once(make):
    traces = []

    @jax.jit
    def run(net, x):
        traces.append(1)
        return net(x)

    n_in = 32 if isinstance(make, MakeConvEncoder) else 3
    again = type(make)((8, 4), (4,))
    for maker, seed in ((make, 0), (again, 1)):
        run(maker(n_in, 32, key=jax.random.key(seed)), jnp.ones(n_in))
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (((1, 40),), "at least 4 x 4"),
        (((8, 8), (4, 4, 4, 4)), "at most 3"),
        (((8, 8), ()), "1 to 3 layers"),
        (((8, 8), (4, 0)), "channels must be"),
        (((8,),), "image_shape must be"),
        (((8, 8.5),), "image_shape must be"),
        ((8,), "image_shape must be"),
    ],
)
def test_settings_out_of_range_are_refused_at_once(settings, message):
    for make in (MakeConvEncoder, MakeConvDecoder):
        with pytest.raises(SettingError, match=message):
            make(*settings)


def test_lengths_must_fit_the_image():
    with pytest.raises(SettingError, match=r"a multiple of 64 numbers; got 96"):
        MakeConvEncoder((8, 8))(96, 4, key=KEY)
    with pytest.raises(SettingError, match=r"a multiple of 64 numbers; got 65"):
        MakeConvDecoder((8, 8))(4, 65, key=KEY)
