"""What is installed and where: packages, extras, devices, threads and folders, as tables."""

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from wellposed._cache_folder import cache_folder
from wellposed._version import __version__

from ._packages import EXTRAS, LIBRARY, Requirement, requirements, stated

Table = tuple[dict[str, str], ...]

_MEBIBYTE = 2**20
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "XLA_FLAGS")


def packages() -> tuple[Table, list[str]]:
    """Return what the library needs beside what is installed, and the problems with it."""
    rows = [
        {"package": "Python", "installed": platform.python_version(), "needed": ""},
        {"package": LIBRARY, "installed": __version__, "needed": ""},
    ]
    try:
        needed = [each for each in requirements() if each.extra is None]
        rows[0]["needed"] = stated(LIBRARY, "Requires-Python")
    except metadata.PackageNotFoundError:
        return tuple(rows), [
            "What the library needs must be known from its installation; it runs from its source "
            "and is not installed as a package. Run `pip install .` in its folder."
        ]
    # jaxlib has a version of its own, on which numbers depend.
    for each in (*needed, Requirement("jaxlib", "", None)):
        version = each.installed or "not installed"
        rows.append({"package": each.name, "installed": version, "needed": each.versions})
    problems = [
        f"{each.name} must be {each.versions or 'installed'}; got "
        f"{each.installed or 'none'}. Run `pip install '{each.name}{each.versions}'`."
        for each in needed
        if each.installed is None or each.is_old
    ]
    return tuple(rows), problems


def extras() -> Table:
    """Return the extras: which are installed, and what each is for."""
    try:
        lines = requirements()
    except metadata.PackageNotFoundError:
        return ()
    rows = []
    for extra, purpose in EXTRAS.items():
        missing = sorted(
            each.name
            for each in lines
            if each.extra == extra and each.installed is None and each.name != LIBRARY
        )
        state = f"no {', '.join(missing)}: pip install 'wellposed[{extra}]'" if missing else "yes"
        rows.append({"extra": extra, "for": purpose, "installed": state})
    return tuple(rows)


def devices() -> Table:
    """Return the devices that JAX computes on, the first of which is the default."""
    import jax

    return tuple(
        {"device": f"{each.platform}:{each.id}", "kind": each.device_kind, "memory": _memory(each)}
        for each in jax.devices()
    )


def _memory(device: object) -> str:
    """Memory of an accelerator; the memory of the machine serves its processors."""
    stats = getattr(device, "memory_stats", lambda: None)() or {}
    limit = stats.get("bytes_limit")
    return f"{limit / 2**30:.1f} GiB" if limit else ""


def machine() -> Table:
    """Return system, processors, and what sets the number of threads."""
    import jax

    config: Any = jax.config  # its settings are made at run time
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    rows = [
        {"machine": "system", "value": platform.platform()},
        {"machine": "processors", "value": f"{usable} of {os.cpu_count()}"},
        {"machine": "64-bit numbers in JAX", "value": "on" if config.jax_enable_x64 else "off"},
    ]
    given = {name: os.environ[name] for name in _THREADS if os.environ.get(name)}
    rows += [{"machine": name, "value": value} for name, value in given.items()]
    return tuple(rows)


def folders() -> Table:
    """Return the folders of the caches with their sizes."""
    import jax

    from wellposed._program_cache import VARIABLE

    rows = []
    try:
        root = cache_folder()
        rows.append({"folder": "downloaded data", "size": _size(root, but=root / "compiled")})
        rows.append({"folder": "compiled programs", "size": _size(root / "compiled")})
        rows = [row | {"path": str(root)} for row in rows]
        rows[1]["path"] = str(root / "compiled")
    except RuntimeError as error:  # there is no home folder
        rows = [{"folder": "caches", "size": "none", "path": str(error)}]
    if os.environ.get(VARIABLE):
        rows.append({"folder": f"${VARIABLE}", "size": "", "path": os.environ[VARIABLE]})
    config: Any = jax.config
    theirs = config.jax_compilation_cache_dir
    if theirs and not any(theirs.startswith(row["path"]) for row in rows):
        rows.append({"folder": "programs, set in JAX", "size": _size(Path(theirs)), "path": theirs})
    return tuple(rows)


def _size(folder: Path, but: Path | None = None) -> str:
    """Bytes of the files of a folder, without those of one in it."""
    total = 0
    for place, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if Path(place, name) != but]
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:  # another process removed it
                continue
    return f"{total / _MEBIBYTE:.1f} MiB"
