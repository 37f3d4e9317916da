"""The functions ``encode`` and ``decode`` of a module of PyTorch, Keras or Flax, on arrays."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np

from wellposed._errors import DataError, SettingError

_FUNCTIONS = (
    "Pass two functions of arrays instead: audit(encode=lambda x: (mean, log_variance), "
    'decode=lambda z: mean, X=X, encoder_scale="log_variance").'
)


@runtime_checkable
class Module(Protocol):
    """A VAE of any framework: ``encode`` gives mean and log variance, ``decode`` the mean of x."""

    def encode(self, x: Any) -> Any:
        """Return mean and log variance of q(z | x)."""
        ...

    def decode(self, z: Any) -> Any:
        """Return the mean of p(x | z)."""
        ...


def check_module(module: object) -> None:
    """Refuse what has no ``encode`` and ``decode`` to call.

    Raises
    ------
    SettingError
        With what the object lacks, and the remedy.
    """
    missing = [n for n in ("encode", "decode") if not callable(getattr(module, n, None))]
    if missing:
        raise SettingError(
            f"A module must have the methods encode and decode; got a {type(module).__name__} "
            f"without {' and '.join(missing)}. {_FUNCTIONS}"
        )
    is_linen = callable(getattr(module, "bind", None)) and callable(getattr(module, "apply", None))
    if is_linen and getattr(module, "scope", None) is None:
        raise SettingError(
            f"A Flax Linen module must be bound to its variables; got a {type(module).__name__} "
            "without them. Pass module.bind(variables)."
        )


@contextlib.contextmanager
def in_evaluation(module: Any) -> Iterator[None]:
    """Put a PyTorch module, with its parts, in evaluation mode, and back afterwards."""
    parts = list(module.modules()) if is_torch(module) else []
    modes = [part.training for part in parts]
    for part in parts:
        part.training = False
    try:
        yield
    finally:
        for part, mode in zip(parts, modes, strict=True):
            part.training = mode


def is_torch(module: Any) -> bool:
    """Whether a module has the methods of ``torch.nn.Module``."""
    names = ("modules", "named_modules", "parameters", "state_dict")
    return all(callable(getattr(module, name, None)) for name in names)


def encoder_of(module: Any) -> Callable[[np.ndarray], Any]:
    """Return the function of rows that gives mean and log variance, and refuses other outputs."""
    place = _placing(module)

    def encode(rows: np.ndarray) -> Any:
        output = module.encode(place(rows))
        if isinstance(output, tuple | list) and len(output) == 2:
            return output
        size = f" of {len(output)}" if isinstance(output, tuple | list) else ""
        alone = (
            " A mean alone leaves q(z|x) without a scale, and no ELBO exists."
            if getattr(output, "ndim", None) == 2
            else ""
        )
        raise DataError(
            "encode of a module must return the pair (mean, log variance) of q(z|x); got a "
            f"{type(output).__name__}{size}.{alone} {_FUNCTIONS}"
        )

    return encode


def decoder_of(module: Any) -> Callable[[np.ndarray], Any]:
    """Return the function of latents that gives the mean of x."""
    place = _placing(module)
    return lambda latents: module.decode(place(latents))


def _placing(module: Any) -> Callable[[np.ndarray], Any]:
    """How arrays reach a module: as tensors of the type and on the device of its parameters."""
    if is_torch(module):
        first = next(iter(module.parameters()), None)
        if first is not None and hasattr(first, "new_tensor"):
            return lambda array: first.detach().new_tensor(np.asarray(array))
    return lambda array: np.asarray(array, np.float32)
