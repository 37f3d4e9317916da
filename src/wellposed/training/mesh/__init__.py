"""Training over several devices and processes: the same program a shard, the same sums."""

from .data_mesh import SHARDS, DataMesh
from .epoch import epoch_on, look_on
from .processes import any_of, every, every_text, from_first
from .steps import Steps

__all__ = [
    "SHARDS",
    "DataMesh",
    "Steps",
    "any_of",
    "epoch_on",
    "every",
    "every_text",
    "from_first",
    "look_on",
]


def __dir__() -> list[str]:
    return sorted(__all__)
