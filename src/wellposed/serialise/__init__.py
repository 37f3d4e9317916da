"""One safetensors file: a versioned JSON header, a checksum over every byte, atomic writes.

The header describes a tree of our own classes, by names from a closed list; loading builds those
and nothing else, so that nothing in a file is ever executed.
"""

from ._apart import check_apart as check_apart
from ._file import read as read
from ._file import write as write
from ._output import check_writable as check_writable
from ._output import replacing as replacing
from ._tree import NeedsMakerError as NeedsMakerError
from ._tree import describe as describe
from ._tree import fill as fill
from ._tree import leaves_by_name as leaves_by_name
from ._tree import rebuild as rebuild
