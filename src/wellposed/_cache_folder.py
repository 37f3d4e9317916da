"""The cache folder of the library: downloaded data and compiled programs."""

import os
import sys
from pathlib import Path

VARIABLE = "WELLPOSED_CACHE"


def cache_folder() -> Path:
    """Return the library's folder for caches; it may not exist yet.

    ``$WELLPOSED_CACHE`` if it is set, else the platform's place for caches.

    Raises
    ------
    RuntimeError
        If the user has no home folder and no variable names another.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "wellposed"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        base = Path(local) if local else Path.home() / "AppData" / "Local"
        return base / "wellposed" / "Cache"
    # The XDG specification tells programs to ignore a relative path.
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (shared if shared.is_absolute() else Path.home() / ".cache") / "wellposed"
