"""A codec from the bytes of its integer model."""

from wellposed._errors import DamagedFileError

from .beside import Beside
from .bits_back import BitsBackCodec
from .inputs import Inputs
from .latents import prior_from_state
from .network_state import network_from_state
from .symbols import from_state
from .wire import unpack


def row_codec_from_bytes(data: bytes) -> BitsBackCodec:
    """Return the codec whose ``to_bytes()`` is ``data``.

    Parameters
    ----------
    data : what ``to_bytes()`` of a codec returned

    Raises
    ------
    DamagedFileError
        For bytes that are no integer model.

    Examples
    --------
    >>> from wellposed.coding import integer_model
    >>> codec = integer_model(model, resolution=0.1)
    >>> row_codec_from_bytes(codec.to_bytes()).fingerprint() == codec.fingerprint()
    True
    """
    state = unpack(data)
    try:
        return BitsBackCodec(
            Inputs(**state["inputs"]),
            network_from_state(state["encoder"]),
            network_from_state(state["decoder"]),
            prior_from_state(state["prior"]),
            tuple(from_state(part) for part in state["parts"]),
            state["latent_bits"],
            Beside.from_state(state),
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DamagedFileError(
            f"An integer model must have all its parts; {error}. Take the file from its source "
            "again."
        ) from error
