"""Strided convolutions: every route against XLA's own, values and all derivatives."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from once import once, over
from wellposed.nn.strided import gather, minimal_filtering, native, primitive, products

# Even and odd coarse grids, few and many channels: both recipes and the choice between them.
SHAPES = {"tiny": (2, 2, 1, 3), "odd": (6, 10, 17, 4), "few": (8, 12, 3, 5), "many": (8, 4, 16, 7)}
CASES = [
    pytest.param(shape, id=name, marks=pytest.mark.slow if name == "many" else ())
    for name, shape in SHAPES.items()
]
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}


@pytest.fixture(params=TOLERANCE)
def dtype(request):
    with jax.enable_x64(request.param == "float64"):
        yield request.param


def drawn(shape, dtype, n=3):
    height, width, c, k = shape
    rng = np.random.default_rng(0)
    sizes = (n, height, width, c), (4, 4, c, k), (n, height // 2, width // 2, k)
    # Scaled so that sums over patches are of size one, and absolute errors are relative ones.
    scales = 1.0, (16 * c * k) ** -0.5, 1.0
    return [jnp.asarray(s * rng.normal(size=z), dtype) for z, s in zip(sizes, scales, strict=True)]


def assert_close(got, want, dtype):
    scale = max(1.0, float(jnp.abs(want).max()))
    np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE[dtype] * scale)


def oracle_down(x, w):
    numbers = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, w, (2, 2), [(1, 1), (1, 1)], dimension_numbers=numbers)


def oracle_up(c, w):
    numbers = ("NHWC", "HWIO", "NHWC")
    return lax.conv_transpose(
        c, w, (2, 2), "SAME", dimension_numbers=numbers, transpose_kernel=True
    )


def routes(shape):
    height, width = shape[:2]
    found = [native, gather, products]
    return found + [minimal_filtering] * (height % 4 == 0 and width % 4 == 0)


@pytest.mark.parametrize("shape", CASES)
def test_every_route_is_the_convolution_and_its_transposes(shape, dtype):
    x, w, c = drawn(shape, dtype)

    @jax.jit
    def oracles(x, w, c):
        to_w = jax.vjp(lambda w: oracle_down(x, w), w)[1](c)[0]
        return oracle_down(x, w), oracle_up(c, w), to_w

    @jax.jit
    def of_each_route(x, w, c):
        return [(r.down(x, w), r.up(c, w), r.weight(x, c)) for r in routes(shape)]

    expected = oracles(x, w, c)
    for found in of_each_route(x, w, c):
        for got, want in zip(found, expected, strict=True):
            assert_close(got, want, dtype)


def loss_of(down, up):
    return lambda x, w, c: jnp.sum(jnp.sin(down(x, w)) * c) + jnp.sum(jnp.cos(up(c, w)) * x)


@pytest.mark.parametrize("shape", CASES)
def test_gradients_under_vmap_are_those_of_the_convolution(shape, dtype):
    x, w, c = drawn(shape, dtype)
    ours = loss_of(jax.vmap(primitive.down, (0, None)), jax.vmap(primitive.up, (0, None)))
    got = jax.jit(jax.grad(ours, (0, 1, 2)))(x, w, c)
    want = jax.jit(jax.grad(loss_of(oracle_down, oracle_up), (0, 1, 2)))(x, w, c)
    for a, b in zip(got, want, strict=True):
        assert_close(a, b, dtype)


def test_derivatives_of_second_order_forward_and_reverse():
    with jax.enable_x64(True):
        x, w, c = drawn((4, 4, 2, 3), "float64", n=1)
        ours = loss_of(jax.vmap(primitive.down, (0, None)), jax.vmap(primitive.up, (0, None)))
        theirs = loss_of(oracle_down, oracle_up)
        want = jax.jit(jax.hessian(theirs, 1))(x, w, c)
        for second in (jax.hessian, lambda f, i: jax.jacrev(jax.jacrev(f, i), i)):
            assert_close(jax.jit(second(ours, 1))(x, w, c), want, "float64")


@pytest.mark.parametrize("shape", CASES)
def test_vmap_over_models_and_gradients_of_single_images(shape):
    with jax.enable_x64(True):
        x, w, c = drawn(shape, "float64")
        models = jnp.stack([w, 2 * w])
        got = over(lambda w: jax.vmap(primitive.down, (0, None))(x, w), models)
        assert_close(got, jnp.stack([once(oracle_down, x, m) for m in models]), "float64")

        # Per-image gradients: the vmap lies outside of the derivative.
        def pull(down, x, c):
            return jax.grad(lambda w: jnp.vdot(c, down(x, w)))(w)

        one = over(lambda x, c: pull(primitive.down, x, c), x, c)
        many = [once(pull, oracle_down, x[i : i + 1], c[i : i + 1]) for i in range(len(x))]
        assert_close(one, jnp.stack(many), "float64")


def test_down_and_up_are_adjoint_without_any_oracle():
    with jax.enable_x64(True):
        x, w, c = drawn((8, 8, 16, 5), "float64", n=1)
        trilinear = jnp.vdot(c[0], primitive.down(x[0], w))
        np.testing.assert_allclose(jnp.vdot(x[0], primitive.up(c[0], w)), trilinear, rtol=1e-10)
        np.testing.assert_allclose(jnp.vdot(w, primitive.weight(x[0], c[0])), trilinear, rtol=1e-10)


def test_types_promote_as_in_jax_numpy():
    with jax.enable_x64(True):
        x, w, _ = drawn((4, 4, 2, 3), "float64", n=1)
        mixed = primitive.down(x[0].astype("float32"), w)
        assert mixed.dtype == jnp.float64
        assert_close(mixed, oracle_down(x, w)[0], "float32")


def stepped(x, w):
    """Gradient steps on a two-layer loss, as training nests them: scan, grad, vmap."""

    def loss(w):
        out = jax.vmap(lambda x: primitive.up(jnp.tanh(primitive.down(x, w)), w))(x)
        return jnp.mean((out - x) ** 2)

    return lax.scan(lambda w, _: (w - 0.1 * jax.grad(loss)(w), None), w, None, length=3)[0]


@pytest.mark.parametrize("channels", [3, 16])
def test_on_a_cpu_a_batch_is_one_product_and_no_convolution(channels):
    n = 8
    x, w, _ = drawn((8, 8, channels, 6), "float32", n=n)
    lowered = jax.jit(stepped).lower(x, w).as_text()
    assert "stablehlo.convolution" not in lowered
    assert "stablehlo.case" not in lowered
    products = re.findall(r"stablehlo.dot_general .*", lowered)
    # Two rows of tiles a side for minimal filtering, four of patches for gathering.
    images_joined = n * (4 if channels == 16 else 16)
    assert products
    assert all(f"<{images_joined}x" in p or f"x{images_joined}x" in p for p in products)
    assert not any("batching_dims" in p for p in products)


def test_on_an_accelerator_it_is_the_native_convolution():
    x, w, _ = drawn((8, 8, 16, 6), "float32")
    exported = jax.jit(stepped).trace(x, w).lower(lowering_platforms=("cuda",)).as_text()
    assert "stablehlo.convolution" in exported
    assert "stablehlo.dot_general" not in exported
