"""What an installation consists of: packages and bytes, from a new environment that pip fills.

    python -m benchmarks.installation [--extras plot] [--python python3.13] [--oldest] [--doctor]

Builds the library as a wheel and installs it, with what it needs, into a new virtual environment. A
size is the sum of the bytes of files that a package's record lists. Bytecode that pip compiles is
counted apart: Python can do without, and writes it again. With --oldest, each package of the core
has the lowest version that is declared. With --doctor, the new installation examines itself.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MEGABYTE = 1e6

# Runs in the new environment, which has the standard library and no benchmarks.
MEASURE = """
import json, os
from importlib import metadata

found = []
for each in metadata.distributions():
    name = each.metadata["Name"]
    if name in ("pip", "setuptools"):
        continue
    sizes = {True: 0, False: 0}
    for file in each.files or ():
        if os.path.isfile(file.locate()):
            sizes[str(file).endswith(".pyc")] += os.stat(file.locate()).st_size
    found.append([name, each.version, sizes[False], sizes[True]])
print(json.dumps(found))
"""


def oldest() -> list[str]:
    """Return the lowest declared version of each package of the core, as requirements."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    floors = [line.replace(">=", "==") for line in project["dependencies"]]
    return [*floors, *(line.replace("jax", "jaxlib") for line in floors if line.startswith("jax="))]


def measure(python: str, extras: str, pins: list[str], examine: bool) -> list:
    """Install into a new environment; return name, version, bytes, bytecode of each."""
    with tempfile.TemporaryDirectory() as folder:
        wheels, venv = Path(folder, "wheels"), Path(folder, "venv")
        pip = [sys.executable, "-m", "pip", "--quiet", "wheel", "--no-deps", "-w", str(wheels)]
        subprocess.run([*pip, str(ROOT)], check=True)
        subprocess.run([python, "-m", "venv", str(venv)], check=True)
        (wheel,) = wheels.glob("wellposed-*.whl")
        inner = str(venv / "bin" / "python")
        what = f"{wheel}[{extras}]" if extras else str(wheel)
        subprocess.run([inner, "-m", "pip", "--quiet", "install", what, *pins], check=True)
        if examine:
            subprocess.run([venv / "bin" / "wellposed", "doctor"], check=True, cwd=folder)
        found = subprocess.run([inner, "-c", MEASURE], check=True, capture_output=True, text=True)
    return json.loads(found.stdout)


def show(packages: list) -> None:
    """Print a line a package, the largest first, and the sums."""
    print(f"{'package':22}{'version':12}{'MB':>8}{'bytecode':>10}")
    for name, version, size, code in sorted(packages, key=lambda each: -each[2]):
        print(f"{name:22}{version:12}{size / MEGABYTE:8.1f}{code / MEGABYTE:10.1f}")
    sizes, codes = (sum(each[i] for each in packages) for i in (2, 3))
    print(
        f"{len(packages)} packages, {sizes / MEGABYTE:.1f} MB ({sizes / 2**20:.1f} MiB), and "
        f"{codes / MEGABYTE:.1f} MB of bytecode"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extras", default="", help="such as plot,hub")
    parser.add_argument("--python", default=sys.executable, help="interpreter to install for")
    parser.add_argument("--oldest", action="store_true", help="lowest declared versions")
    parser.add_argument("--doctor", action="store_true", help="run wellposed doctor there")
    options = parser.parse_args()
    pins = oldest() if options.oldest else []
    show(measure(options.python, options.extras, pins, options.doctor))


if __name__ == "__main__":
    main()
