"""Limit on the numbers that a computation has in memory at once, and pieces of that size."""

from collections.abc import Iterator

# The size of a processor's cache. Samplers that reject also run until the last draw of a batch has
# been accepted: ten times as many beta-binomials at once took fifty times as long.
NUMBERS_AT_ONCE = 800_000


def at_once(numbers: int, most: int) -> int:
    """Return how many items to compute at once: at least one, at most ``most``.

    Parameters
    ----------
    numbers : numbers of one item
    most : maximum number of items; more are no faster
    """
    return max(1, min(most, NUMBERS_AT_ONCE // max(1, numbers)))


def bucket(n: int, most: int) -> int:
    """Return the smallest power of two ≥ ``n``, at most ``most``.

    Batches are padded to it, so that numbers of items in the same bucket share a program.
    """
    return max(1, min(most, 1 << max(n - 1, 0).bit_length()))


def slices(n: int, step: int) -> Iterator[slice]:
    """Yield the slices that cut ``n`` items into pieces of ``step``, the last one shorter."""
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))
