"""A PyTorch module with the networks of a fitted VAE."""

import dataclasses
import functools
import importlib
import math
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from wellposed import nn, noise, transforms
from wellposed._errors import MissingPackageError, SettingError

from .._fitted import Fitted

_ACTIVATIONS: dict[str, tuple[str, dict[str, str]]] = {
    "relu": ("ReLU", {}),
    "leaky_relu": ("LeakyReLU", {}),
    "elu": ("ELU", {}),
    "gelu": ("GELU", {"approximate": "tanh"}),
    "silu": ("SiLU", {}),
    "softplus": ("Softplus", {}),
    "tanh": ("Tanh", {}),
    "sigmoid": ("Sigmoid", {}),
    "identity": ("Identity", {}),
}
# positive(r) = softplus(r + c), with positive(0) = 1.
_UNIT = math.log(math.expm1(1.0))


@dataclasses.dataclass(frozen=True, eq=False)
class Units:
    """Elementwise maps between data units and the numbers that the networks have.

    Parameters
    ----------
    center, inner : shape (d,); the encoder's input is (x − center) · inner
    mean, outer : shape (d,); the mean of p(x | z) is mean + outer · output

    Examples
    --------
    >>> Units(np.zeros(2), np.ones(2), np.zeros(2), np.ones(2)).none
    True
    """

    center: np.ndarray
    inner: np.ndarray
    mean: np.ndarray
    outer: np.ndarray

    @property
    def none(self) -> bool:
        """Whether both maps are the identity."""
        zeros, ones = (self.center, self.mean), (self.inner, self.outer)
        return not any(each.any() for each in zeros) and all((each == 1).all() for each in ones)


def to_torch(vae: Fitted) -> Any:
    """Return a ``torch.nn.Module`` with the networks of a fitted VAE.

    ``encode(x)`` gives the pair (mean, log variance) of q(z|x), ``decode(z)`` the mean of p(x|z) in
    data units, and calling the module on rows decodes the mean of q. Its attribute
    ``noise_variance`` is σ² in squared data units: a number, an array (d,), or None where it
    depends on z. Needs ``pip install 'wellposed[torch]'``.

    Parameters
    ----------
    vae : fitted :class:`wellposed.VAE` with "mlp" networks, Gaussian noise, and the transform
        "identity" or "standardize"; p(z) is not taken over

    Raises
    ------
    SettingError
        For another model, or if PyTorch is not installed.

    Notes
    -----
    Values more than 100 spreads from the mean of the training, which a VAE limits before it
    encodes them, are not limited.

    Examples
    --------
    >>> module = wp.to_torch(vae)  # doctest: +SKIP
    >>> mean, log_variance = module.encode(torch.from_numpy(rows))  # doctest: +SKIP
    """
    check_is_fitted(vae)
    if not isinstance(vae, Fitted):
        raise SettingError(f"to_torch takes a wellposed.VAE; got a {type(vae).__name__}. Fit one.")
    _check(vae)
    torch, model, d = _torch(), vae.model_, vae.n_features_in_
    units = _units(vae)
    module = _classes(torch)[0](d, model.prior.k)
    encoder = model.encoder
    module.has_log_variance = isinstance(encoder, nn.Ending)
    module.encoder = _network(torch, encoder.network if module.has_log_variance else encoder)
    module.decoder = _network(torch, model.decoder)
    if not units.none:
        for field in dataclasses.fields(units):
            values = torch.from_numpy(getattr(units, field.name).astype(np.float32))
            module.register_buffer(field.name, values)
    depends = model.noise.variance() is None
    module.noise_variance = None if depends else vae.noise_variance_ * _scale(model) ** 2
    return module


def _check(vae: Fitted) -> None:
    """Refuse a model of which no such module can be made."""
    model = vae.model_
    kind = type(model.noise).__name__
    faults = {
        f"{kind} noise": not isinstance(model.noise, noise.Gaussian),
        f"the transform {type(model.transform).__name__}": not isinstance(
            model.transform, transforms.Identity | transforms.Standardize
        ),
        "covariates": model.n_covariates > 0,
        "a column far from zero, with an offset": bool(np.any(vae.offset_)),
        "networks of another kind": not (_known(model.encoder) and _known(model.decoder)),
        "networks with another ending": not (
            _ending(model.encoder) in ("", "log_variance")
            and _ending(model.decoder) != "log_variance"
        ),
    }
    found = [fault for fault, holds in faults.items() if holds]
    if found:
        raise SettingError(
            'to_torch takes a VAE with "mlp" networks, Gaussian noise, and transform="identity" or '
            f'"standardize"; got {" and ".join(found)}. Fit one with these settings, or save the '
            "model and call it from Python beside PyTorch."
        )


def _known(network: Any) -> bool:
    inner = getattr(network, "network", network)
    return isinstance(network, nn.MLP | nn.LinearSkip | nn.Ending) and isinstance(inner, nn.MLP)


def _ending(network: Any) -> str:
    return network.kind if isinstance(network, nn.Ending) else ""


def _units(vae: Fitted) -> Units:
    """Collect the maps of the transform, of the noise and of constant features, in float64."""
    model: Any = vae.model_
    d, transform, observation = vae.n_features_in_, model.transform, model.noise
    shift, scale, varies = np.zeros(d), np.ones(d), np.ones(d, bool)
    if isinstance(transform, transforms.Standardize):
        shift, scale = (np.asarray(v, np.float64) for v in (transform.mean, transform.scale))
    center, spread = np.zeros(d), 1.0
    if observation.centred is not None:
        center = np.asarray(observation.centred.mean, np.float64)
        spread = float(observation.centred.scale)
    outer, inner = scale * spread, 1 / (scale * spread)
    mean = shift + scale * center
    if observation.constants is not None:
        varies = np.asarray(observation.constants.varies)
        constant = shift + scale * np.asarray(observation.constants.value, np.float64)
        mean, outer = np.where(varies, mean, constant), np.where(varies, outer, 0.0)
    if model.reach is not None:
        inner = np.where(np.asarray(model.reach.limit) > 0, inner, 0.0)
    return Units(shift + scale * center, inner, mean, outer)


def _scale(model: Any) -> Any:
    """Return data units in a model unit: a number where all features have one, else (d,)."""
    if not isinstance(model.transform, transforms.Standardize):
        return 1.0
    scale = np.asarray(model.transform.scale, np.float64)
    return float(scale[0]) if (scale == scale[0]).all() else scale


def _network(torch: Any, network: Any) -> Any:
    """Return the layers of a network of this library."""
    if isinstance(network, nn.Ending):
        return torch.nn.Sequential(
            _network(torch, network.network), _activation(torch, network.kind)
        )
    if isinstance(network, nn.LinearSkip):
        n = network.bias.shape[0] - network.weight.shape[1]
        weight = np.pad(np.asarray(network.weight), ((0, 0), (0, n)))
        linear = _linear(torch, weight, network.bias)
        return _classes(torch)[1](_network(torch, network.network), linear)
    parts: list[Any] = []
    for layer in network.layers:
        parts += [_linear(torch, layer.weight, layer.bias), _activation(torch, network.activation)]
    return torch.nn.Sequential(*parts[:-1])


def _linear(torch: Any, weight: Any, bias: Any) -> Any:
    layer = torch.nn.Linear(*weight.shape)
    arrays = {"weight": np.asarray(weight).T, "bias": np.asarray(bias)}
    for name, array in arrays.items():
        tensor = torch.from_numpy(np.array(array, np.float32, order="C"))
        setattr(layer, name, torch.nn.Parameter(tensor))
    return layer


def _activation(torch: Any, name: str) -> Any:
    kind, options = _ACTIVATIONS[name]
    return getattr(torch.nn, kind)(**options)


@functools.lru_cache
def _classes(torch: Any) -> tuple[type, type]:
    """Return the classes of the module, and of a network beside a linear layer."""

    class GaussianVAE(torch.nn.Module):
        """Encoder and decoder of a fitted wellposed.VAE."""

        has_log_variance = False
        noise_variance: Any = None

        def __init__(self, d: int, k: int):
            super().__init__()
            self.d, self.k = d, k

        def encode(self, x: Any) -> Any:
            if hasattr(self, "center"):
                x = (x - self.center) * self.inner
            out = self.encoder(x)
            mean, second = out[..., : self.k], out[..., self.k :]
            if not self.has_log_variance:
                near = torch.clamp(second, -40.0, 40.0)  # as numerics.soft_clip
                second = near + torch.sign(second) * torch.log1p(torch.abs(second - near))
                second = 2.0 * torch.log(torch.nn.functional.softplus(second + _UNIT))
            return mean, second

        def decode(self, z: Any) -> Any:
            out = self.decoder(z)[..., : self.d]
            return self.mean + self.outer * out if hasattr(self, "mean") else out

        def forward(self, x: Any) -> Any:
            return self.decode(self.encode(x)[0])

    class Beside(torch.nn.Module):
        """network(x) + linear(x)."""

        def __init__(self, network: Any, linear: Any):
            super().__init__()
            self.network, self.linear = network, linear

        def forward(self, x: Any) -> Any:
            return self.network(x) + self.linear(x)

    return GaussianVAE, Beside


def _torch() -> Any:
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        raise MissingPackageError(
            "to_torch needs PyTorch, which cannot be imported. Install it with: "
            "pip install 'wellposed[torch]'"
        ) from error
