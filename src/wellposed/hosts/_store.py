"""Texts that the processes share while they are joined: the store of JAX's own service.

JAX has no public function for it. This is the only file that uses what is private.
"""

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Store(Protocol):
    """A dictionary of texts that all processes see."""

    def set(self, key: str, value: str) -> None:
        """Write a text, in the place of an older one."""
        ...

    def wait(self, key: str, seconds: float) -> str | None:
        """Return a text, or None if it has not come within some seconds."""
        ...

    def under(self, prefix: str) -> dict[str, str]:
        """Return the texts whose keys begin with a prefix and a slash, by the rest of the key."""
        ...


class JaxStore:
    """The store of the service that the processes joined."""

    def __init__(self) -> None:
        from jax._src import distributed

        self._client: Any = distributed.global_state.client

    def set(self, key: str, value: str) -> None:
        """Write a text, in the place of an older one."""
        self._client.key_value_set(key, value, allow_overwrite=True)

    def wait(self, key: str, seconds: float) -> str | None:
        """Return a text, or None if it has not come within some seconds."""
        from jax.errors import JaxRuntimeError

        try:
            return self._client.blocking_key_value_get(key, int(1000 * seconds))
        except JaxRuntimeError as error:
            if "DEADLINE_EXCEEDED" in str(error):
                return None
            raise

    def under(self, prefix: str) -> dict[str, str]:
        """Return the texts whose keys begin with a prefix and a slash, by the rest of the key."""
        found = self._client.key_value_dir_get(f"{prefix}/")
        return {key.removeprefix(f"{prefix}/"): value for key, value in found}
