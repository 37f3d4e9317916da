"""A fitted VAE with the weights of a PyTorch module."""

import dataclasses
import warnings
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from wellposed import evaluation, nn, noise, training
from wellposed._checks import check_number
from wellposed._errors import ConstantFeatureWarning, SettingError

from .._prepare import prepare
from .._vae import VAE
from .._words import Rows
from ..data.rows import open_table
from .layers import Layer, divisions, hidden_of, linear_layers, network_of
from .modules import Module, check_module, decoder_of, encoder_of, in_evaluation

_ACTIVATIONS = (
    "relu",
    "tanh",
    "silu",
    "elu",
    "leaky_relu",
    "softplus",
    "sigmoid",
    "gelu",
    "identity",
)
_N_PROBED = 64
_AROUND = 3.0  # standard deviations by which probes lie around rows
# Sums of float32 in another order differ by some 1e-6; another activation, by far more.
_SAME = 1e-5


@dataclasses.dataclass(frozen=True)
class Match:
    """Networks that give what a module gives.

    Examples
    --------
    >>> empty = nn.MLP((), "relu")
    >>> Match(empty, empty, ((8,), (8,)), ("relu", "tanh"), k=2).activations
    ('relu', 'tanh')
    """

    encoder: nn.Network
    decoder: nn.Network
    hidden: tuple[tuple[int, ...], tuple[int, ...]]
    activations: tuple[str, str]
    k: int


def from_torch(
    module: Module,
    X: Rows,
    *,
    noise_variance: float | None = None,
    random_state: int | None = 0,
) -> VAE:
    """Return a fitted VAE with the weights of a PyTorch module; PyTorch is not imported.

    The module consists of linear layers with one activation between them in each network. Its
    ``encode`` gives the pair (mean, log variance) of q(z|x), and its ``decode`` the mean of p(x|z),
    after a sigmoid, a tanh or nothing. The layers are taken in their order in the module, and
    the activation is the one that gives the outputs of the module on rows of X, to 10⁻⁵ of the
    largest of them; weights that give other outputs are refused.

    Parameters
    ----------
    module : ``torch.nn.Module`` with ``encode`` and ``decode``
    X : array-like or frame of shape (n, d), in the units of the module: rows of its training
    noise_variance : σ² in squared units of X; None takes the one that maximises the ELBO of these
        networks on X, see :func:`wellposed.audit`
    random_state : seed of draws and scores

    Returns
    -------
    :class:`wellposed.VAE` with p(z) = N(0, I) and the identity as transform. ``fit`` would train
        new weights; ``partial_fit`` continues from these

    Raises
    ------
    SettingError
        For a module with other layers, or whose outputs its layers do not give.
    DataError
        For rows that are not finite numbers, or outputs of the module that are not.

    Examples
    --------
    >>> vae = wp.from_torch(module, X)  # doctest: +SKIP
    >>> print(wp.diagnose(vae, X_held_out, X))  # doctest: +SKIP
    """
    check_module(module)
    table = open_table(X)
    table.check_finite()
    rows = np.ascontiguousarray(table.values, np.float32)
    with in_evaluation(module):
        match = _match(module, rows)
        if noise_variance is None:
            noise_variance = _best_variance(module, rows)
    remedy = "It is σ² in squared units of X; leave it out for the best one."
    variance = check_number("noise_variance", noise_variance, remedy, above=0)
    return _fitted(VAE(**_settings(match, variance, random_state)), match, X, variance)


def _settings(match: Match, variance: float, random_state: int | None) -> dict[str, Any]:
    (encoder, decoder), (first, second) = match.hidden, match.activations
    networks: dict[str, Any] = {"hidden": encoder, "activation": first}
    if decoder != encoder[::-1] or first != second:
        networks = {
            "encoder": nn.MakeMLP(encoder, first),
            "decoder": nn.MakeMLP(decoder, second),
        }
    return {
        "n_components": match.k,
        "noise": variance,
        "prior": "standard",
        "transform": "identity",
        "linear_start": False,
        "random_state": random_state,
        **networks,
    }


def _fitted(vae: VAE, match: Match, X: Rows, variance: float) -> VAE:
    with warnings.catch_warnings():
        # The module's own outputs stand for features that never vary, not their constant.
        warnings.simplefilter("ignore", ConstantFeatureWarning)
        table = open_table(X)
        prepared = prepare(vae, table, np.zeros(table.values.shape[1]), holds_out=False)
    model = dataclasses.replace(
        prepared.model,
        encoder=match.encoder,
        decoder=match.decoder,
        noise=noise.Gaussian(variance),
        reach=None,
    )
    outcome = training.Outcome.taken_over
    vae.store(model, training.History(), outcome, prepared.rows, best_epoch=0)
    vae._advance = None
    return vae


def _best_variance(module: Any, rows: np.ndarray) -> float:
    return evaluation.audit(
        encode=encoder_of(module),
        decode=decoder_of(module),
        X=rows,
        encoder_scale="log_variance",
    ).optimal_noise_variance


def _match(module: Any, rows: np.ndarray) -> Match:
    """Find the networks that give the outputs of a module.

    Raises
    ------
    SettingError
        If none do.
    """
    layers, probe = linear_layers(module), _probe(rows)
    least: dict[str, float] = {}
    for chains in divisions(layers, rows.shape[1]):
        posterior = np.concatenate([_numpy(part) for part in encoder_of(module)(probe)], axis=1)
        latents = np.random.default_rng(0).normal(size=(_N_PROBED, chains.k)).astype(np.float32)
        decoded = _numpy(decoder_of(module)(latents)).reshape(_N_PROBED, -1)
        encoder, first, apart = _nearest(chains.encoder, probe, posterior, ("",))
        decoder, second, gap = _nearest(chains.decoder, latents, decoded, ("", "sigmoid", "tanh"))
        if max(apart, gap) <= _SAME:
            hidden = hidden_of(chains.encoder), hidden_of(chains.decoder)
            whole = nn.Ending(encoder, "log_variance")
            return Match(whole, decoder, hidden, (first, second), chains.k)
        least = {"encode": apart, "decode": gap}
    raise SettingError(
        "from_torch needs linear layers that give the outputs of encode and decode with one of the "
        f"activations {', '.join(_ACTIVATIONS)}; {_account(layers, least)}. Divide each "
        "network into layers in their order, with the mean before the log variance, "
        "or call wellposed.audit(module, X), which needs no layers."
    )


def _probe(rows: np.ndarray) -> np.ndarray:
    """Return rows from all parts of X, and others around them, where activations differ."""
    some = rows[np.linspace(0, len(rows) - 1, min(_N_PROBED, len(rows))).astype(int)]
    noise = np.random.default_rng(1).normal(size=some.shape)
    around = some + _AROUND * (rows.std(axis=0) + 1e-3 * np.abs(rows).max()) * noise
    return np.concatenate([some, around.astype(some.dtype)])


def _account(layers: list[Any], least: dict[str, float]) -> str:
    if not least:
        sizes = ", ".join(f"{x.weight.shape[0]}→{x.weight.shape[1]}" for x in layers)
        return f"the layers {sizes} are no encoder and decoder of such sizes"
    far = [f"those of {name} differ by {gap:.2g}" for name, gap in least.items() if gap > _SAME]
    return f"{' and '.join(far)} of the largest"


def _nearest(
    chain: Any, inputs: np.ndarray, wanted: np.ndarray, endings: tuple[str, ...]
) -> tuple[nn.Network, str, float]:
    """Return the network nearest to the outputs, its activation, and its relative distance."""
    size = float(np.abs(wanted).max()) or 1.0
    best = None
    for network, activation in _candidates(chain, endings):
        given = np.asarray(jax.vmap(network)(inputs))
        gap = float(np.abs(given - wanted).max()) / size if given.shape == wanted.shape else np.inf
        if best is None or gap < best[2]:
            best = network, activation, gap
        if gap <= _SAME:
            break
    assert best is not None  # there is one candidate at least
    return best


def _candidates(chain: tuple[Layer, ...], endings: tuple[str, ...]) -> Iterator[tuple[Any, str]]:
    for activation in _ACTIVATIONS if len(chain) > 1 else ("relu",):
        for ending in endings:
            plain = network_of(chain, activation)
            yield (nn.Ending(plain, ending) if ending else plain), activation


def _numpy(output: Any) -> np.ndarray:
    for step in ("detach", "cpu", "float"):
        output = getattr(output, step, lambda output=output: output)()
    return np.asarray(output, np.float32)
