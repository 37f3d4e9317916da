"""One budget of the numbers that a computation holds at once."""

from collections.abc import Iterator

# What a processor's cache holds. Samplers that reject also run until the last draw of a batch has
# been accepted: ten times as many beta-binomials at once took fifty times as long.
NUMBERS_AT_ONCE = 800_000


def at_once(numbers: int, most: int) -> int:
    """Return how many items to compute at once: at least one, at most ``most``.

    Parameters
    ----------
    numbers : numbers that one item holds
    most : items beyond which nothing is gained
    """
    return max(1, min(most, NUMBERS_AT_ONCE // max(1, numbers)))


def bucket(n: int, most: int) -> int:
    """Return the power of two that holds ``n`` items, at most ``most``.

    A batch is padded to it, so that a few items more or fewer compile nothing.
    """
    return max(1, min(most, 1 << max(n - 1, 0).bit_length()))


def slices(n: int, step: int) -> Iterator[slice]:
    """Yield the slices that cut ``n`` items into pieces of ``step``, the last one shorter."""
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))
