"""Where fetched data sets live."""

import os
import sys
from pathlib import Path

VARIABLE = "WELLPOSED_CACHE"


def cache_dir() -> Path:
    """Return the folder for fetched data; it may not exist yet.

    ``$WELLPOSED_CACHE`` if it is set, else the platform's place for caches:
    ``$XDG_CACHE_HOME/wellposed`` or ``~/.cache/wellposed`` on Linux,
    ``~/Library/Caches/wellposed`` on macOS, ``%LOCALAPPDATA%\\wellposed\\Cache`` on Windows.

    Returns
    -------
    Path
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
