"""How many rows are coded side by side: a function of their number and width alone."""

_MOST_LANES = 512
# Rows to a lane: each lane's last state costs five bits.
_ROWS_A_LANE = 8
# Numbers of one array of a chunk; wider rows are coded fewer at a time.
_CHUNK_NUMBERS = 2**21
# The first rows have no earlier ones whose bits could be had back, so that the first chunks are
# small, down to this share of all rows.
_FIRST_SHARE = 1024


def n_lanes(n_rows: int, width: int) -> int:
    """Return the lanes of a block of ``n_rows`` rows of ``width`` numbers.

    Examples
    --------
    >>> n_lanes(1, 784), n_lanes(100, 784), n_lanes(10_000, 784)
    (1, 8, 512)
    """
    most = min(_MOST_LANES, _CHUNK_NUMBERS // max(width, 1), n_rows // _ROWS_A_LANE)
    return 1 << max(most, 1).bit_length() - 1


def chunk_sizes(n_rows: int, lanes: int) -> list[int]:
    """Return the rows of each chunk, in the order of encoding: never falling, up to ``lanes``.

    Each chunk has at most three times the rows before it, whose bits serve for its latents.

    Examples
    --------
    >>> chunk_sizes(40, 16), chunk_sizes(0, 1)
    ([2, 6, 16, 16], [])
    """
    sizes = []
    first = max(1, n_rows // _FIRST_SHARE)
    while n_rows:
        size = n_rows if n_rows <= first else -(-3 * n_rows // 4)
        sizes.append(min(size, lanes))
        n_rows -= sizes[-1]
    return sizes[::-1]
