"""The devices that a batch is spread over."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import equinox as eqx
import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from wellposed._checks import Rule, check_settings, or_word, whole
from wellposed._errors import SettingError
from wellposed._typing import Tree

from .tree import AXIS

SHARDS = 8
"""Default number of parts of a batch, whose gradients are added in a fixed order."""
DEVICES: Rule = or_word("all", whole())
_POWER_OF_TWO = Rule(
    "a power of two, at least 1", lambda v: whole().allows(v) and int(v) & (int(v) - 1) == 0
)


@dataclasses.dataclass(frozen=True)
class DataMesh:
    """Devices in a row, each with a share of every batch and all parameters.

    Parameters
    ----------
    devices : tuple of jax.Device
        Equally many of each process, those of a process together; see :meth:`of`.
    shards : int, default 8
        Shards of a batch, a power of two and a multiple of the number of devices. A device computes
        its shards one after another, so that more shards take less memory. A training with the same
        number of shards has the same bits on any number of devices of one kind, a process each.

    Raises
    ------
    SettingError
        If ``shards`` is no power of two, or no multiple of the number of devices.

    Examples
    --------
    >>> DataMesh.of(1).shards
    8
    """

    devices: tuple[Any, ...]
    shards: int = SHARDS

    def __post_init__(self) -> None:
        check_settings({"shards": self.shards}, {"shards": _POWER_OF_TWO})
        n = len(self.devices)
        of = [device.process_index for device in self.devices]
        shares = {of.count(i) for i in range(jax.process_count())}
        if len(shares) > 1 or 0 in shares:
            raise SettingError(
                "A mesh must have equally many devices of each process that joined; got those of "
                f"processes {of}, of {jax.process_count()}. Use DataMesh.of."
            )
        if self.shards % n:
            few = n & -n if n & (n - 1) else n
            raise SettingError(
                f"The number of shards must be a multiple of the number of devices; got shards="
                f"{self.shards} on {n} devices. "
                + (f"Set shards={n}." if few == n else f"Use {1 << n.bit_length() - 1} devices.")
            )

    @classmethod
    def of(cls, devices: Literal["all"] | int = "all", shards: int = SHARDS) -> "DataMesh":
        """Return the mesh over all devices, or over some, equally many of each process.

        Parameters
        ----------
        devices : "all" or int, the number of devices of all processes together
        shards : see :class:`DataMesh`

        Raises
        ------
        SettingError
            If there are fewer devices, or they cannot be shared equally among the processes.
        """
        check_settings({"devices": devices}, {"devices": DEVICES})
        found = sorted(jax.devices(), key=lambda device: (device.process_index, device.id))
        if devices == "all":
            return cls(tuple(found), shards)
        n_processes = jax.process_count()
        if devices > len(found) or devices % n_processes:
            raise SettingError(
                f"devices must be at most the {len(found)} devices that JAX finds, and a multiple "
                f"of the number of processes, {n_processes}; got devices={devices}. Pass "
                'devices="all", or None for one device.'
            )
        own = [
            [device for device in found if device.process_index == i][: devices // n_processes]
            for i in range(n_processes)
        ]
        return cls(tuple(device for each in own for device in each), shards)

    @property
    def mesh(self) -> Mesh:
        """The mesh of one axis, "data"."""
        return Mesh(np.array(self.devices), (AXIS,))

    @property
    def n_processes(self) -> int:
        """Number of processes that the devices belong to."""
        return len({device.process_index for device in self.devices})

    @property
    def local(self) -> Sequence[Any]:
        """Devices of this process."""
        return [device for device in self.devices if device.process_index == jax.process_index()]

    @property
    def own(self) -> Mesh | None:
        """The mesh of this process's devices; None where it has one, and a program needs none."""
        return Mesh(np.array(self.local), (AXIS,)) if len(self.local) > 1 else None

    def firsts(self) -> tuple[Any, Any]:
        """Return the first shard of each device of this process, and the shards of a device."""
        each = np.asarray(self.shards // len(self.devices), np.int32)
        firsts = each * np.array([self.devices.index(d) for d in self.local], np.int32)
        return jax.device_put(firsts, self._place(AXIS)), self.replicate(each)

    def _place(self, *axes: str) -> Any:
        own = self.own
        return self.local[0] if own is None else NamedSharding(own, PartitionSpec(*axes))

    def replicate(self, tree: Tree) -> Tree:
        """Put arrays on each device of this process."""
        place = self._place()
        return jax.tree.map(lambda a: jax.device_put(a, place) if eqx.is_array(a) else a, tree)

    def joined(self, parts: jax.Array) -> jax.Array:
        """Return the arrays of all processes, shape (devices, ...), from those of this one."""
        sharding = NamedSharding(self.mesh, PartitionSpec(AXIS))
        own = [shard.data for shard in parts.addressable_shards]
        shape = (len(self.devices), *parts.shape[1:])
        return jax.make_array_from_single_device_arrays(shape, sharding, own)

    def of_process(self, everywhere: jax.Array) -> jax.Array:
        """Return this process's copies of an array that all devices have."""
        own = [shard.data for shard in everywhere.addressable_shards]
        if self.own is None:
            return own[0]
        return jax.make_array_from_single_device_arrays(everywhere.shape, self._place(), own)


def on_one_device(tree: Tree) -> Tree:
    """Return replicated arrays on the default device."""
    return jax.tree.map(lambda leaf: jax.device_put(np.asarray(leaf.addressable_data(0))), tree)
