"""A VAE of any framework as two callables on numpy arrays, with checks of every output."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from wellposed._errors import DataError, SettingError, unknown_name

_SCALES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "deviation": lambda scale: scale,
    "variance": np.sqrt,
    "log_variance": lambda scale: np.exp(0.5 * scale),
}

# Outputs of different batches differ in their last digits; outputs under dropout, in their first.
_SAME = 1e-3


@dataclasses.dataclass(frozen=True)
class ForeignVAE:
    """The functions ``encode`` and ``decode`` of a VAE of any framework.

    Parameters
    ----------
    encode : rows → mean and scale of q(z | x), two arrays of shape (rows, k)
    decode : latents of shape (rows, k) → mean of p(x | z), in the shape and the units of the rows
    encoder_scale : meaning of encode's second output: "deviation", "variance" or "log_variance"
    """

    encode: Callable[[np.ndarray], object]
    decode: Callable[[np.ndarray], object]
    encoder_scale: str = "deviation"

    def __post_init__(self) -> None:
        if self.encoder_scale not in _SCALES:
            raise unknown_name("encoder_scale", self.encoder_scale, _SCALES)
        for name in ("encode", "decode"):
            if not callable(getattr(self, name)):
                raise SettingError(
                    f"{name} must be a function of a numpy array; got {getattr(self, name)!r}. "
                    f"For example, pass lambda rows: model.{name}(torch.from_numpy(rows))."
                )

    def posterior(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean and standard deviation of q(z | x) of each row, both of shape (n, k).

        Parameters
        ----------
        rows : array of shape (n, ...), data units
        """
        output = _call("encode", self.encode, rows)
        if not isinstance(output, tuple | list) or len(output) != 2:
            raise DataError(
                f"encode must return a pair, the mean and the scale of q(z|x); got "
                f"{_describe(output)}. Leave out draws of z and other values."
            )
        mean, scale = (_array(part, "encode") for part in output)
        if mean.ndim != 2 or mean.shape != scale.shape or len(mean) != len(rows):
            raise DataError(
                f"encode must return two arrays of shape ({len(rows)}, latents) for {len(rows)} "
                f"rows; got {mean.shape} and {scale.shape}. Flatten each row's latents, and "
                "repeat a scale that all rows share."
            )
        return mean, self._deviation(scale)

    def _deviation(self, scale: np.ndarray) -> np.ndarray:
        if self.encoder_scale != "log_variance" and not (scale > 0).all():
            raise DataError(
                f"The {self.encoder_scale} of q(z|x) must be positive; encode returned "
                f"{scale.min():.4g}. If these are logarithms of variances, pass "
                'encoder_scale="log_variance".'
            )
        with np.errstate(over="ignore", under="ignore"):
            deviation = _SCALES[self.encoder_scale](scale.astype(np.float64))
        if not (np.isfinite(deviation) & (deviation > 0)).all():
            raise DataError(
                f"The standard deviation of q(z|x) must be positive and finite; log variances "
                f"from {scale.min():.4g} to {scale.max():.4g} leave that range. Check "
                "encoder_scale, and whether training diverged."
            )
        return deviation

    def means(self, latents: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return the mean of p(x | z) of each latent, an array of shape (n, d) in float64.

        Parameters
        ----------
        latents : array of shape (n, k)
        shape : of one datum, as decode returns it
        """
        output = _call("decode", self.decode, latents)
        if isinstance(output, tuple | list):
            raise DataError(
                f"decode must return one array, the mean of p(x|z); got {_describe(output)}. "
                "Return the mean alone: lambda z: model.decode(z)[0], if it comes first."
            )
        mean = _array(output, "decode")
        if mean.shape != (len(latents), *shape):
            raise DataError(
                f"decode must return means of the shape of the rows, {(len(latents), *shape)}; "
                f"got {mean.shape}. Reshape its output, or X."
            )
        return mean.reshape(len(latents), -1).astype(np.float64)

    def check(self, rows: np.ndarray) -> None:
        """Check that both functions give equal outputs for some rows and for half of these rows.

        Parameters
        ----------
        rows : array of shape (n, ...), data units

        Raises
        ------
        DataError
            If outputs are random, depend on the other rows, or are probabilities of levels in
            place of values in the units of X.
        """
        shape, half = rows.shape[1:], (len(rows) + 1) // 2
        mean, deviation = self.posterior(rows)
        again, _ = self.posterior(rows[:half])
        _check_same("encode", mean[:half], again, deviation[:half] + np.abs(mean).mean())
        decoded = self.means(mean, shape)
        _check_same(
            "decode", decoded[:half], self.means(mean[:half], shape), np.abs(decoded).mean()
        )
        _check_units(decoded, rows.reshape(len(rows), -1))


def _call(name: str, function: Callable[[np.ndarray], object], rows: np.ndarray) -> Any:
    try:
        return function(rows)
    except Exception as error:
        error.add_note(f"raised in {name}, called with an array of {rows.shape}, {rows.dtype}")
        raise


def _array(value: Any, name: str) -> np.ndarray:
    """Convert to a finite array of floats; a tensor is detached and copied to the host first."""
    for step in ("detach", "cpu"):
        value = getattr(value, step, lambda value=value: value)()
    try:
        array = np.asarray(value)
        array = array if np.issubdtype(array.dtype, np.floating) else array.astype(np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{name} must return what numpy can read as numbers; got {_describe(value)}. "
            "Convert it first, for example with .float().numpy()."
        ) from error
    wrong = int(array.size - np.isfinite(array).sum())
    if wrong:
        raise DataError(
            f"{name} must return finite numbers; {wrong} of {array.size} are NaN or infinite. "
            "Check that its input is scaled as in training, and that training did not diverge."
        )
    return array


def _check_same(
    name: str, first: np.ndarray, second: np.ndarray, spread: np.ndarray | float
) -> None:
    gap = np.abs(first.astype(np.float64) - second)
    if (gap > _SAME * (spread + np.abs(first))).any():
        raise DataError(
            f"{name} must give a row the same output each time, for any other rows; "
            f"outputs differ by up to {gap.max():.3g}. Switch dropout and batch statistics off "
            "(model.eval(), training=False), and return means, not draws."
        )


def _check_units(decoded: np.ndarray, rows: np.ndarray) -> None:
    def simplex(values: np.ndarray) -> bool:
        sums = values.sum(axis=1)
        return values.shape[1] > 1 and bool((values >= 0).all() and np.allclose(sums, 1, atol=1e-3))

    if simplex(decoded) and not simplex(rows):
        raise DataError(
            "decode must return the mean of p(x|z) in the units of X; its rows are probabilities "
            f"that sum to one, those of X sum to {rows.sum(axis=1).mean():.4g} on average. Return "
            "the expected value of x under them."
        )


def _describe(value: Any) -> str:
    size = f" of {len(value)}" if isinstance(value, tuple | list) else ""
    return f"a {type(value).__name__}{size}"
