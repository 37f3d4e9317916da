"""Forged model files, with the right checksum: refused, or harmless.

    python -m benchmarks.forge_models --count 1300

Takes the small model files of ``tests/data/models`` in turn, changes one thing in each (a value,
a type, a shape, a number, a name, the nesting), puts the checksum right, loads the result, and
scores four rows if it loads. What loads and scores to numbers is harmless: the change was within
what fitting can make (another weight, seed or setting of the training).
"""

import argparse
import collections
import random
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "serialise"))


def main() -> None:
    """Forge, load, score, and print a table."""
    import forging

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--harmless", action="store_true", help="list what loads and scores")
    given = parser.parse_args()
    # Of those that score, reduce and draw.
    names = sorted(
        name
        for name, then in forging.ROWS.items()
        if {"log_p", "latents"} == set(then) - {"dtype", "rows"}
    )
    parts = {name: forging.parts_of(forging.path_of(name)) for name in names}
    found, shown = collections.Counter(), []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "forged.wp"
        for i in range(given.count):
            name = names[i % len(names)]
            what, content = forging.forge(parts[name], random.Random(f"{given.seed}.{i}"))
            path.write_bytes(content)
            rows = np.array(forging.ROWS[name]["rows"], forging.ROWS[name]["dtype"])
            became = forging.verdict(path, rows)
            kind = became if became in ("refused", "finite", "not finite") else "foreign exception"
            found[kind] += 1
            if kind != "refused" and (kind != "finite" or given.harmless):
                shown.append(f"{i:5} {name:24} {what}: {became}")
    print("\n".join(shown))
    print(f"{'forged files with a valid checksum':40} {given.count:6}")
    print(f"{'refused on load':40} {found['refused']:6}")
    print(f"{'loaded, scores finite (harmless)':40} {found['finite']:6}")
    print(f"{'loaded, scores not finite':40} {found['not finite']:6}  target 0")
    print(f"{'foreign exception':40} {found['foreign exception']:6}  target 0")


if __name__ == "__main__":
    main()
