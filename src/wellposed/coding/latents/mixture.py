"""A mixture of normals as prior: the component is a latent too, and its bits come back."""

from typing import Any

import numpy as np

from ..ans import Lanes
from ..integer import curve
from ..logs import shares
from ..search import Intervals, bisect
from .grid import PLACE_BITS, Grid

_BITS = 24
_KNOTS, _FAR = 64, 8
# Whitened codes in the responsibilities: their digits, and the largest that is told apart.
_WHITE_BITS, _WHITE_MOST = 8, 2.0**14
ROOT_BITS = 16


class MixturePrior:
    r"""p(z) = Σ_c w_c N(z | μ_c, Σ_c), coded by way of c.

    A row takes its component from p(c | z) off the stack, puts z under p(z | c), latent by latent,
    and c under w onto it: no bits are lost but where the integers of p(c | z) round.

    Parameters
    ----------
    grid : of the latents
    weight : frequencies of the components, int64, shape (n,), that sum to 2^24
    log_height : log w_c |Σ_c|^{-1/2}, int64, shape (n,), in 2^-10
    root : L_c⁻¹ with Σ_c = L_c L_cᵀ, int64, shape (n, k, k), in 2^-16, lower triangular
    shift : −L_c⁻¹ μ_c, int64, shape (n, k), in 2^-32
    """

    kind = "mixture"

    def __init__(
        self,
        grid: Grid,
        weight: np.ndarray,
        log_height: np.ndarray,
        root: np.ndarray,
        shift: np.ndarray,
    ):
        self.grid, self.weight, self.log_height = grid, weight, log_height
        self.root, self.shift = root, shift
        self._root, self._shift = root.astype(np.float64), shift.astype(np.float64)
        self._starts = np.concatenate([[0], np.cumsum(weight)])
        self._normal = curve("normal", -_FAR, _FAR, scale=(1 << _BITS) - grid.n_cells)

    @property
    def most(self) -> float:
        """Largest sum of a whitened code, in 2^-32."""
        sums = np.abs(self._root) @ self.grid.most() + np.abs(self._shift)
        return float(sums.max())

    def push(self, lanes: Lanes, cells: np.ndarray, flips: np.ndarray) -> np.ndarray:
        """Code cells of shape (k, m); return the bits of each row, shape (m,).

        ``flips`` are words, uint64, shape (m,), that make the draw of the component uniform.
        """
        places, m = self.grid.places(cells), cells.shape[1]
        likely = self._responsibilities(places)
        lanes.mix(flips, bits=_BITS)
        drawn = bisect(likely, lanes.target(m, bits=_BITS), len(self.weight))
        lanes.advance(drawn.start, drawn.freq, bits=_BITS)
        net, component = -drawn.bits(_BITS), drawn.symbol
        before = np.tril(self._root, -1)[component] @ places.T[..., None]
        before = before[..., 0] + self._shift[component]
        for j in range(self.grid.k - 1, -1, -1):
            own = self._root[component, j, j]
            below = self._below(j, before[:, j], own, cells[j])
            above = self._below(j, before[:, j], own, cells[j] + 1)
            each = Intervals.between(cells[j], below, above)
            lanes.push(each.start, each.freq, bits=_BITS)
            net += each.bits(_BITS)
        each = self._component(component)
        lanes.push(each.start, each.freq, bits=_BITS)
        return net + each.bits(_BITS)

    def pop(self, lanes: Lanes, flips: np.ndarray) -> np.ndarray:
        """Return the cells of m rows, shape (k, m), int64; flips are theirs of :meth:`push`."""
        m, k = len(flips), self.grid.k
        target = lanes.target(m, bits=_BITS)
        component = np.searchsorted(self._starts, target.astype(np.int64), side="right") - 1
        each = self._component(component)
        lanes.advance(each.start, each.freq, bits=_BITS)
        before, root = self._shift[component], self._root[component]
        cells = np.zeros((k, m), np.int64)
        for j in range(k):
            sums, own = before[:, j], root[:, j, j]

            def below(cell: np.ndarray, at: Any, j=j, sums=sums, own=own) -> np.ndarray:
                return self._below(j, sums, own, cell)

            found = bisect(below, lanes.target(m, bits=_BITS), self.grid.n_cells)
            lanes.advance(found.start, found.freq, bits=_BITS)
            cells[j] = found.symbol
            before[:, j + 1 :] += root[:, j + 1 :, j] * self.grid.middles[j].take(cells[j])[:, None]
        likely = self._responsibilities(self.grid.places(cells))
        back = Intervals.between(component, likely(component), likely(component + 1))
        lanes.push(back.start, back.freq, bits=_BITS)
        lanes.mix(flips, bits=_BITS)
        return cells

    def _below(self, j: int, before: np.ndarray, own: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """Cumulative frequency below a cell of latent j, given the latents before it."""
        point = self.grid.edges[j].take(cell)
        point *= own
        point += before
        point *= _KNOTS * 2.0 ** -(PLACE_BITS + ROOT_BITS)
        point += _FAR * _KNOTS
        return self._normal.at(point) + cell

    def _component(self, component: np.ndarray) -> Intervals:
        starts = self._starts.astype(np.float64)
        return Intervals.between(component, starts.take(component), starts.take(component + 1))

    def _responsibilities(self, places: np.ndarray) -> Any:
        """p(c | z) of places (k, m): cumulative frequencies below components."""
        n, k = self._shift.shape
        white = self._root.reshape(n * k, k) @ places
        white += self._shift.reshape(n * k, 1)
        white *= 2.0 ** (_WHITE_BITS - PLACE_BITS - ROOT_BITS)
        np.floor(white, out=white)
        np.clip(white, -_WHITE_MOST, _WHITE_MOST, out=white)
        white *= white
        fall = white.reshape(n, k, -1).sum(axis=1)
        fall *= 2.0 ** (10 - 2 * _WHITE_BITS - 1)
        logs = self.log_height[:, None] - np.floor(fall)
        each = shares(logs, (1 << _BITS) - n) + 1.0
        cumulative = np.concatenate([np.zeros((1, each.shape[1])), each.cumsum(axis=0)])
        row = np.arange(each.shape[1])
        return lambda component, at=None: cumulative[component, row if at is None else at]

    def state(self) -> dict[str, Any]:
        """Return what the prior is made of."""
        return {
            "kind": self.kind,
            "grid": self.grid.state(),
            "weight": self.weight,
            "log_height": self.log_height,
            "root": self.root,
            "shift": self.shift,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "MixturePrior":
        """Undo :meth:`state`."""
        own = {name: state[name] for name in ("weight", "log_height", "root", "shift")}
        return cls(Grid(**state["grid"]), **own)
