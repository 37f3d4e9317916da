"""Agreement before a training: versions, code, settings and data are the same everywhere."""

import functools
import hashlib
import itertools
import json
import platform
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from wellposed._errors import HostsError
from wellposed._text import cut
from wellposed._version import __version__

from ._place import Place
from ._stop import asked
from ._store import Store

PATIENCE = 600.0  # seconds for the slowest process to read its data
_STEP, _LAST = 2.0, 5.0
_ROUNDS = itertools.count()
_PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "scikit-learn", "equinox", "numpyro")
_SHOWN, _LISTED = 60, 4


def versions() -> dict[str, str]:
    """Return the versions of Python, of packages and of this library's code, and JAX's settings.

    Examples
    --------
    >>> sorted(versions())[:3]
    ['code', 'equinox', 'jax']
    """
    import jax

    read = {name: str(getattr(jax.config, name, "absent")) for name in _JAX_SETTINGS}
    return {
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        **read,
        "wellposed": __version__,
        "code": code_digest(),
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "absent"


_JAX_SETTINGS = (
    "jax_enable_x64",
    "jax_default_matmul_precision",
    "jax_default_prng_impl",
    "jax_threefry_partitionable",
)


@functools.cache
def code_digest(folder: Path = Path(__file__).parents[1]) -> str:
    """Return the SHA-256, in hex, of the names and the text of all Python files of a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder).as_posix()}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def agree(
    facts: Mapping[str, str], place: Place, store: Store, *, patience: float = PATIENCE
) -> None:
    """Return if all processes state the same facts.

    Each process calls it, as often as the others.

    Parameters
    ----------
    facts : texts by name, such as versions and digests
    place : of this process
    store : that all processes see
    patience : seconds to wait for the others

    Raises
    ------
    HostsError
        In every process, if facts differ: which, and between which processes; or if a process
        does not answer.
    """
    topic, begun = f"wellposed/agree/{next(_ROUNDS)}", time.monotonic()
    store.set(f"{topic}/{place.process}", json.dumps(dict(facts)))
    if place.process == 0:
        try:
            stated = {
                i: json.loads(
                    _wait(
                        store, f"{topic}/{i}", f"process {i}", patience + begun - time.monotonic()
                    )
                )
                for i in range(place.n_processes)
            }
            found = differences(stated)
        except HostsError as error:  # the others wait for it
            found = str(error)
        store.set(f"{topic}/verdict", found)
    verdict = _wait(store, f"{topic}/verdict", "process 0", patience + 5 * _STEP)
    if not verdict:
        return
    store.set(f"{topic}/read/{place.process}", "")
    begun = time.monotonic()
    if place.process == 0:  # the store ends with process 0: the others read first
        while len(store.under(f"{topic}/read")) < place.n_processes:
            if time.monotonic() - begun > _LAST:
                break
            time.sleep(0.05)
    raise HostsError(verdict)


def differences(stated: Mapping[int, Mapping[str, str]]) -> str:
    """Return a message on the facts that differ between processes; "" where none do.

    Parameters
    ----------
    stated : facts of each process, by its id

    Examples
    --------
    >>> differences({0: {"jax": "1"}, 1: {"jax": "1"}})
    ''
    """
    names = list(dict.fromkeys(name for facts in stated.values() for name in facts))
    different = [name for name in names if len({f.get(name) for f in stated.values()}) > 1]
    if not different:
        return ""
    parts = "; ".join(_spread(name, stated) for name in different)
    return (
        "All processes of a training must have the same versions, code, settings and data; these "
        f"differ: {parts}. Make them the same on all hosts."
    )


def _spread(name: str, stated: Mapping[int, Mapping[str, str]]) -> str:
    values: dict[str, list[int]] = {}
    for i, facts in stated.items():
        values.setdefault(facts.get(name, "absent"), []).append(i)
    shown = [f"{cut(value, _SHOWN)} in {_processes(ids)}" for value, ids in values.items()]
    more = f" and {len(shown) - _LISTED} others" if len(shown) > _LISTED else ""
    return f"{name} is {', '.join(shown[:_LISTED])}{more}"


def _processes(ids: list[int]) -> str:
    listed = ", ".join(map(str, ids[:_LISTED]))
    more = f" and {len(ids) - _LISTED} more" if len(ids) > _LISTED else ""
    return f"process{'' if len(ids) == 1 else 'es'} {listed}{more}"


def _wait(store: Store, key: str, whom: str, patience: float) -> str:
    begun = time.monotonic()
    while True:  # in short steps, so that Ctrl-C is seen
        left = patience - (time.monotonic() - begun)
        found = store.wait(key, max(0.01, min(_STEP, left)))
        if found is not None:
            return found
        if asked():
            raise HostsError(f"This process was asked to stop while it waited for {whom}.")
        if left <= 0:
            raise HostsError(
                f"All processes must state versions, settings and data before a training; {whom} "
                f"did not within {patience:.0f} s. See its messages."
            )
