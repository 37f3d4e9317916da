"""How many rows are coded side by side: a function of their number and width alone."""

_MOST_LANES = 512
# Rows and numbers to a lane: a lane costs five bits, and up to those of one row's z.
_ROWS_A_LANE = 8
_NUMBERS_A_LANE = 2**12
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
    enough = min(n_rows // _ROWS_A_LANE, n_rows * width // _NUMBERS_A_LANE)
    most = min(_MOST_LANES, _CHUNK_NUMBERS // max(width, 1), enough)
    return 1 << max(most, 1).bit_length() - 1


def chunk_sizes(n_rows: int, lanes: int, *, d: int, k: int) -> list[int]:
    """Return the rows of each chunk, in the order of encoding: never falling, up to ``lanes``.

    A chunk draws its latents with the bits of the rows before it. A row of d features puts about d
    bits on the stack, and takes about ten for each of k latents off it, so that a chunk has at most
    d/10k times the rows before it, and at most twice.

    Examples
    --------
    >>> chunk_sizes(40, 16, d=784, k=20), chunk_sizes(6, 4, d=16, k=2), chunk_sizes(0, 1, d=1, k=1)
    ([2, 6, 16, 16], [1, 2, 3], [])
    """
    put, taken = min(d, 20 * k), 10 * k
    sizes = []
    first = max(1, n_rows // _FIRST_SHARE)
    while n_rows:
        size = min(lanes, -(-put * n_rows // (put + taken)))
        if n_rows <= first and n_rows <= min([lanes, *sizes[-1:]]):
            size = n_rows
        sizes.append(size)
        n_rows -= sizes[-1]
    return sizes[::-1]
