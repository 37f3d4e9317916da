"""One safetensors file: a versioned JSON header, a checksum over every byte, atomic writes.

The header describes a tree of objects. Their classes are on a closed list, or are supplied by the
caller; loading builds no others, and executes nothing in a file.
"""

from ._apart import check_apart
from ._file import read, write
from ._output import check_writable, replace_file
from ._own import ROLES, NeedsMakerError, classes_in, own_classes
from ._tree import NETWORKS, describe, fill, leaves_by_name, rebuild
from ._versions import age_of, remedy

__all__ = [
    "NETWORKS",
    "ROLES",
    "NeedsMakerError",
    "age_of",
    "check_apart",
    "check_writable",
    "classes_in",
    "describe",
    "fill",
    "leaves_by_name",
    "own_classes",
    "read",
    "rebuild",
    "remedy",
    "replace_file",
    "write",
]


def __dir__() -> list[str]:
    return sorted(__all__)
