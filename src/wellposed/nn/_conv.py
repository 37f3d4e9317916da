"""Convolutional encoder and decoder for images of any size."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._checks import check_sizes
from wellposed._typing import PRNGKey

from ._activations import activate, check_activation, gain
from ._draw import Plan, draw, plan_layer
from ._mlp import MLP, WIDTHS, build_mlp, plan_mlp
from ._pyramid import Pyramid, check_image_shape, plan_pyramid
from .strided import primitive


class Kernel(eqx.Module):
    """Weights of one strided layer, in HWIO order as :func:`primitive.down` reads."""

    weight: Float[Array, "4 4 C N"]
    bias: Float[Array, " B"]


class ConvEncoder(eqx.Module):
    """Strided convolutions from an image to a coarse grid, then an MLP; see MakeConvEncoder.

    Examples
    --------
    >>> from wellposed.nn import MakeConvEncoder
    >>> encoder = MakeConvEncoder((8, 8, 1), hidden=(4,))(64, 4, key=key)
    >>> encoder(np.zeros(64)).shape
    (4,)
    """

    kernels: tuple[Kernel, ...]  # weights and bias of each convolution, in order
    head: MLP
    pyramid: Pyramid = eqx.field(static=True)
    activation: str = eqx.field(static=True)

    def __call__(self, y: Float[Array, " n_in"]) -> Float[Array, " n_out"]:
        """Map one image, flattened row by row with channels last, or several of one datum."""
        height, width, _ = self.pyramid.image_shape
        parts = y.reshape(-1, *self.pyramid.image_shape)
        image = jnp.moveaxis(parts, 0, 2).reshape(height, width, -1)
        x = jnp.pad(image, self.pyramid.padding)
        for kernel in self.kernels:
            x = primitive.down(x, kernel.weight) + kernel.bias[None, None]
            x = activate(self.activation, x)
        return self.head(x.reshape(-1))


class ConvDecoder(eqx.Module):
    """An MLP to a coarse grid, then transposed strided convolutions; see MakeConvDecoder.

    Examples
    --------
    >>> from wellposed.nn import MakeConvDecoder
    >>> decoder = MakeConvDecoder((8, 8, 1), hidden=(4,))(2, 64, key=key)
    >>> decoder(np.zeros(2)).shape
    (64,)
    """

    head: MLP
    kernels: tuple[Kernel, ...]  # weights and bias of each convolution, in order
    pyramid: Pyramid = eqx.field(static=True)
    n_raw: int = eqx.field(static=True)
    activation: str = eqx.field(static=True)

    def __call__(self, z: Float[Array, " k"]) -> Float[Array, " n_out"]:
        """Map one latent vector to ``n_raw`` images, flattened one after the other."""
        x = self.head(z).reshape(self.pyramid.coarse_shape)
        for kernel in self.kernels:
            x = primitive.up(activate(self.activation, x), kernel.weight) + kernel.bias[None, None]
        height, width, channels = self.pyramid.image_shape
        (top, _), (left, _), _ = self.pyramid.padding
        x = x[top : top + height, left : left + width]
        # Noise models read (n_raw, d): all first parameters, then all second ones.
        x = x.reshape(height, width, self.n_raw, channels)
        return jnp.moveaxis(x, 2, 0).reshape(-1)


class ConvSettings(eqx.Module):
    """Settings of both makers, and their checks."""

    image_shape: tuple[int, ...] = eqx.field(static=True)
    channels: tuple[int, ...] | None = eqx.field(static=True)
    hidden: tuple[int, ...] = eqx.field(static=True)
    activation: str = eqx.field(static=True)

    def __init__(self, image_shape, channels=None, hidden=(), activation: str = "relu"):
        self.image_shape = check_image_shape(image_shape)
        self.channels = None if channels is None else check_sizes("channels", channels, WIDTHS)
        self.hidden = check_sizes("hidden", hidden, WIDTHS)
        check_activation(activation)
        self.activation = activation
        plan_pyramid(self.image_shape, self.channels)

    @property
    def pyramid(self) -> Pyramid:
        """The grids between the image and the coarsest."""
        return plan_pyramid(self.image_shape, self.channels)


class MakeConvEncoder(eqx.Module):
    """Make a :class:`ConvEncoder`: the maker behind ``encoder="conv"``.

    Each layer is a 4 x 4 convolution at stride 2, which halves the sides; images whose sides
    are no multiple of 2^layers are padded with zeros. An MLP maps the last grid to the output.
    The input may be several images of one datum, flattened one after the other, such as the data
    and the mask of missing entries: their channels are those of one image.

    Parameters
    ----------
    image_shape : tuple of int
        ``(H, W)`` or ``(H, W, C)``; data are images flattened row by row, channels last.
    channels : tuple of int, optional
        Channels of each layer. By default 32, 64, 128, 256, as many as leave a grid of about
        four cells a side.
    hidden : tuple of int
        Widths of the hidden layers between the last grid and the output.
    activation : str
        Name of the activation.

    Raises
    ------
    SettingError
        When the image is too small for the layers, its shape does not multiply to the number
        of features, a width is not a positive integer, or the activation is unknown.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> net = MakeConvEncoder((28, 20))(560, 6, key=jax.random.key(0))
    >>> net(jnp.zeros(560)).shape
    (6,)
    """

    settings: ConvSettings

    def __init__(self, image_shape, channels=None, hidden=(), activation: str = "relu"):
        self.settings = ConvSettings(image_shape, channels, hidden, activation)

    def __call__(self, n_in: int, n_out: int, *, key: PRNGKey) -> ConvEncoder:
        """Return an encoder from ``n_in = m H W C`` numbers, m images, to ``n_out``."""
        pyramid, activation = self.settings.pyramid, self.settings.activation
        n_images = pyramid.multiple_of_features("encoder's input", n_in)
        pairs = pyramid.pairs(n_images * pyramid.image_shape[2])
        plan = tuple(
            entry
            for c, n in pairs
            for entry in plan_layer((4, 4, c, n), n_in=16 * c, n_out=n, gain=gain(activation))
        )
        widths = (pyramid.n_coarse, *self.settings.hidden, n_out)
        arrays = draw(key, plan + plan_mlp(widths, activation))
        kernels, head = arrays[: len(plan)], arrays[len(plan) :]
        return ConvEncoder(_kernels(kernels), build_mlp(head, activation), pyramid, activation)


class MakeConvDecoder(eqx.Module):
    """Make a :class:`ConvDecoder`: the maker behind ``decoder="conv"``.

    The mirror of :class:`MakeConvEncoder`: an MLP to the coarse grid, then transposed 4 x 4
    convolutions at stride 2, and a crop. The output holds ``n_raw = n_out / (H W C)`` numbers
    for each feature, laid out as ``(n_raw, H W C)`` and flattened.

    Parameters
    ----------
    image_shape : tuple of int
        ``(H, W)`` or ``(H, W, C)``; data are images flattened row by row, channels last.
    channels : tuple of int, optional
        Channels of each grid *in the encoder's order*, finest first, so that one setting
        serves both.
    hidden : tuple of int
        Widths of the hidden layers between the latent and the coarse grid.
    activation : str
        Name of the activation.

    Raises
    ------
    SettingError
        As for :class:`MakeConvEncoder`.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> net = MakeConvDecoder((28, 20))(6, 2 * 560, key=jax.random.key(0))
    >>> net(jnp.zeros(6)).shape
    (1120,)
    """

    settings: ConvSettings

    def __init__(self, image_shape, channels=None, hidden=(), activation: str = "relu"):
        self.settings = ConvSettings(image_shape, channels, hidden, activation)

    def __call__(self, n_in: int, n_out: int, *, key: PRNGKey) -> ConvDecoder:
        """Return a decoder from ``(n_in,)`` to ``n_out = n_raw H W C`` numbers."""
        pyramid, activation = self.settings.pyramid, self.settings.activation
        n_raw = pyramid.multiple_of_features("decoder's output", n_out)
        pairs = pyramid.pairs(n_raw * pyramid.image_shape[2])
        # Each output is a sum over four of the 16 taps of a kernel: the fan-in is 4 n.
        plan: Plan = tuple(
            entry
            for i, (c, n) in reversed(tuple(enumerate(pairs)))
            for entry in plan_layer(
                (4, 4, c, n), n_in=4 * n, n_out=c, gain=gain(activation), last=i == 0
            )
        )
        widths = (n_in, *self.settings.hidden, pyramid.n_coarse)
        head = plan_mlp(widths, activation, activated=True)
        arrays = draw(key, plan + head)
        return ConvDecoder(
            build_mlp(arrays[len(plan) :], activation),
            _kernels(arrays[: len(plan)]),
            pyramid,
            n_raw,
            activation,
        )


def _kernels(arrays: tuple[Array, ...]) -> tuple[Kernel, ...]:
    return tuple(Kernel(*pair) for pair in zip(arrays[::2], arrays[1::2], strict=True))
