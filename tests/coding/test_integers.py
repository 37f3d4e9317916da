"""Integer arithmetic against slow twins, and frequencies that leave out no symbol."""

import decimal
import itertools
import math
from fractions import Fraction

import constriction
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

from wellposed._errors import DamagedFileError
from wellposed.coding.ans import Lanes, chunk_sizes, n_lanes
from wellposed.coding.integer import Activation, Layer, Network, curve
from wellposed.coding.integer.activation import NAMES
from wellposed.coding.latents import BITS, Grid, Posterior
from wellposed.coding.logs import shares
from wellposed.coding.search import bisect, near
from wellposed.coding.symbols.cells import Cells, LevelCurve
from wellposed.coding.symbols.constants import ConstantSymbols
from wellposed.coding.symbols.window import neighbours
from wellposed.nn import activate
from wellposed.noise.causal.window import Window


def random_network(rng: np.random.Generator, widths: tuple[int, ...], name: str) -> Network:
    def layer(n_in, n_out, out_bits, half=True):
        weight, bias = rng.normal(size=(n_in, n_out)), rng.normal(size=n_out)
        return Layer.rounded(weight, bias, in_bits=14, weight_bits=12, out_bits=out_bits, half=half)

    last = rng.integers(8, 17, widths[-1])
    layers = [layer(a, b, 14) for a, b in itertools.pairwise(widths[:-1])]
    layers.append(layer(*widths[-2:], last))
    return Network(tuple(layers), Activation(name, 14), layer(widths[0], widths[-1], last, False))


def python_twin(network: Network, x: list[int]) -> list[int]:
    """The network in Python's whole numbers, one datum at a time."""

    def sums(layer: Layer, inputs: list[int]) -> list[Fraction]:
        out = []
        for row, bias, bits in zip(layer.weight, layer.bias, layer.out_bits, strict=True):
            total = sum(int(w) * v for w, v in zip(row, inputs, strict=True)) + int(bias)
            fall = Fraction(2) ** (int(bits) - layer.in_bits - layer.weight_bits)
            out.append(total * fall + Fraction(int(layer.half), 2))
        return out

    hidden = x
    for layer in network.layers[:-1]:
        hidden = [min(max(math.floor(s), 0), 2**24) for s in sums(layer, hidden)]
    last = sums(network.layers[-1], hidden)
    beside = sums(network.skip, x) if network.skip else [Fraction(0)] * len(last)
    return [math.floor(a + b) for a, b in zip(last, beside, strict=True)]


@pytest.mark.parametrize("seed", range(5))
def test_a_network_is_its_python_twin_in_batches_of_any_size(seed):
    rng = np.random.default_rng(seed)
    network = random_network(rng, (*rng.integers(1, 40, 3), 5), "relu")
    x = rng.integers(-(2**16), 2**16, (len(network.layers[0].weight[0]), 37))
    network.check(np.full(len(x), 2.0**16), name="test")
    out = network(x.astype(float))
    assert out.T.tolist() == [python_twin(network, row) for row in x.T.tolist()]
    for size in (1, 2, 7, 36):
        parts = [network(x[:, i : i + size].astype(float)) for i in range(0, 37, size)]
        np.testing.assert_array_equal(np.concatenate(parts, axis=1), out)


@pytest.mark.parametrize("name", NAMES)
def test_an_activation_is_that_of_the_library(name):
    x = np.linspace(-30, 30, 4001)
    whole = Activation(name, 14)(np.floor(x * 2.0**14)) * 2.0**-14
    np.testing.assert_allclose(whole, np.asarray(activate(name, jnp.asarray(x))), atol=2e-4)


@pytest.mark.parametrize(
    ("name", "function"),
    [("sigmoid", special.expit), ("normal", special.ndtr), ("exp", np.exp)],
)
def test_a_table_is_its_function(name, function):
    table = curve(name, -8, 8 if name != "exp" else 0, scale=2**40)
    points = np.arange(table.last + 1) / table.per_unit + table.low
    np.testing.assert_allclose(table.values, function(points) * 2.0**40, atol=0.6, rtol=3e-15)


def test_a_table_does_not_depend_on_the_context_of_decimals():
    with decimal.localcontext(decimal.Context(prec=5)):
        coarse = curve("sigmoid", -3, 3, per_unit=32, scale=2**41)
    fine = special.expit(np.arange(-96, 97) / 32) * 2.0**41
    np.testing.assert_allclose(coarse.values, fine, atol=1)


def test_every_level_has_a_frequency_and_they_sum_to_one():
    rng = np.random.default_rng(0)
    for base, levels, c in (("logistic", 2, 1), ("normal", 256, 1), ("logistic", 1024, 5)):
        table = LevelCurve(base, levels, 24)
        shape = (c, 1, 200)
        scales = np.floor(np.exp(rng.uniform(0, 25, shape)))
        locations = np.floor(rng.normal(size=shape) * levels * 2**11)
        logs = np.floor(rng.normal(size=shape) * 2**12) if c > 1 else None
        cells = Cells.of(locations, scales, logs, levels)
        below = np.stack([table.below(cells, np.full((1, 200), v)) for v in range(levels + 1)])
        assert (np.diff(below, axis=0) >= 1).all()
        assert (below[0] == 0).all()
        assert (below[-1] == 2**24).all()


def test_constants_and_posteriors_leave_out_no_symbol():
    constants = ConstantSymbols.of(np.array([0, 7, 16]), 1 / 67, 17)
    every = np.broadcast_to(np.arange(17), (3, 17))
    frequencies = constants.intervals(np.empty((0, 17)), every).freq.astype(int)
    assert (frequencies >= 1).all()
    assert (frequencies.sum(axis=1) == 2**24).all()
    expected = np.full((3, 17), 1 / 67)
    expected[[0, 1, 2], [0, 7, 16]] = 51 / 67
    np.testing.assert_allclose(frequencies / 2**24, expected, rtol=1e-4)
    rng, grid = np.random.default_rng(0), Grid.standard(8, k=1)
    q = Posterior(np.floor(rng.normal(size=(2, 300)) * [[2.0**18], [2.0**13]]), grid)
    cells = [q.intervals(0, np.full(300, cell)) for cell in range(256)]
    assert all((each.freq >= 1).all() for each in cells)
    assert (sum(each.freq.astype(int) for each in cells) == 2**BITS).all()


def test_shares_are_a_softmax():
    logs = np.random.default_rng(0).normal(size=(5, 40))
    whole = shares(np.floor(logs * 2**10), 2**20)
    assert (whole.sum(axis=0) == 2**20).all()
    np.testing.assert_allclose(whole * 2.0**-20, special.softmax(logs, axis=0), atol=2e-3)


@pytest.mark.parametrize("grid", [(1, 9, 1), (5, 4, 1), (4, 6, 3), (3, 3, 2)])
@pytest.mark.parametrize("size", [3, 5])
def test_neighbours_are_those_of_the_noise(grid, size):
    if grid[0] > 1 and size > min(grid[:2]):
        return
    height, width, channels = grid
    d = height * width * channels
    line = (height, channels) == (1, 1)
    window = Window(size, None if line else grid, d)
    ours = window.neighbours(jnp.arange(1.0, d + 1.0))
    np.testing.assert_array_equal(neighbours(grid, size), np.asarray(ours))


def test_lanes_return_what_was_put_and_cost_as_much_as_its_information():

    rng = np.random.default_rng(0)
    n, m = 4000, 8
    p = rng.dirichlet(np.ones(20))
    freq = np.maximum(np.floor(p * 2**20), 1)
    freq[0] += 2**20 - freq.sum()
    start, freq = (a.astype(np.uint64) for a in (np.cumsum(freq) - freq, freq))
    symbols = rng.choice(20, (n, m), p=p)
    lanes = Lanes.for_encoding(m)
    lanes.open(m)
    for row in symbols:
        lanes.push(start[row], freq[row], bits=20)
    payload = lanes.to_bytes()
    again = Lanes.from_bytes(payload, m)
    for row in symbols[::-1]:
        targets = again.target(m, bits=20)
        assert (targets - start[row] < freq[row]).all()
        again.advance(start[row], freq[row], bits=20)
    again.close(0)
    again.check_end()
    coder = constriction.stream.stack.AnsCoder()
    model = constriction.stream.model.Categorical(freq / 2.0**20, perfect=False)
    coder.encode_reverse(symbols.reshape(-1).astype(np.int32), model)
    assert abs(8 * len(payload) / coder.num_valid_bits() - 1) < 1e-3 + 40 * m / (8 * len(payload))


def test_a_stack_that_runs_dry_raises():
    with pytest.raises(DamagedFileError):
        Lanes.from_bytes(b"", 1)


def test_chunks_have_all_rows_and_never_shrink():
    rng = np.random.default_rng(0)
    for _ in range(300):
        n, d, k = int(rng.integers(0, 30_000)), int(rng.integers(1, 900)), int(rng.integers(1, 65))
        lanes = n_lanes(n, d)
        sizes = chunk_sizes(n, lanes, d=d, k=k)
        assert sum(sizes) == n
        assert sizes == sorted(sizes)
        assert max(sizes, default=0) <= lanes


@pytest.mark.parametrize("n", [1, 2, 3, 17, 256])
def test_a_search_finds_the_same_whatever_the_guess(n):
    rng = np.random.default_rng(n)
    for _ in range(50):
        ends = np.cumsum(np.concatenate([[0], rng.integers(1, 50, n)])).astype(float)
        target = rng.integers(0, int(ends[-1]), 64).astype(np.uint64)
        guess = rng.integers(0, n, 64).astype(float)
        for found in (
            near(lambda s, at, ends=ends: ends[s], target, guess, n),
            bisect(lambda s, at, ends=ends: ends[s], target, n),
        ):
            np.testing.assert_array_equal(found.symbol, np.searchsorted(ends, target, "right") - 1)
            np.testing.assert_array_equal(found.start, ends[found.symbol])
            np.testing.assert_array_equal(found.freq, np.diff(ends)[found.symbol])
