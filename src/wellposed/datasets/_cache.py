"""Where fetched data sets live."""

from pathlib import Path

from wellposed._cache_folder import cache_folder


def cache_dir() -> Path:
    """Return the folder for fetched data; it may not exist yet.

    ``$WELLPOSED_CACHE`` if it is set, else the platform's place for caches:
    ``$XDG_CACHE_HOME/wellposed`` or ``~/.cache/wellposed`` on Linux,
    ``~/Library/Caches/wellposed`` on macOS, ``%LOCALAPPDATA%\\wellposed\\Cache`` on Windows.

    Returns
    -------
    Path
    """
    return cache_folder()
