"""Time before a training starts, and peak memory.

    python -m benchmarks.startup

Import against ``import jax``; the time of a first and a second fit before their first step; peak
memory of a fit of 60,000 x 784; and the whole demo. Each in a process of its own.
"""

import json
import subprocess
import sys
import tempfile

IMPORT = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"
FIT = """
import json, time, warnings
import numpy as np
import wellposed as wp
warnings.simplefilter("ignore")
X = np.random.default_rng(0).random(({n}, {d}), np.float32)

def wait(seed):
    # The time of the first epoch less that of the second is what comes before the first step.
    data = X + np.float32(seed)
    stamps = [time.perf_counter()]
    wp.VAE(20, max_epochs=3, random_state=seed).fit(
        data, callbacks=[lambda report: stamps.append(time.perf_counter())])
    first, second = stamps[1] - stamps[0], min(stamps[2] - stamps[1], stamps[3] - stamps[2])
    return first - second

print(json.dumps([wait(0), wait(1), wait(2)]))
"""
MEMORY = """
import resource, warnings
import numpy as np
import wellposed as wp
warnings.simplefilter("ignore")
X = np.random.default_rng(0).random((60_000, 784), np.float32)
wp.VAE(20, hidden=(500, 500), max_epochs=2, random_state=0).fit(X)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - X.nbytes / 2**20)
"""
DEMO = """
import resource, subprocess, sys, time
t = time.perf_counter()
subprocess.run([sys.executable, "-m", "wellposed", "demo", "--out", {out!r}],
               check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(time.perf_counter() - t)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""


def run(script: str) -> list[str]:
    """Run a script in a new interpreter and return what it printed, by line."""
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.split("\n")[:-1]


def fastest_import(statement: str) -> float:
    """Best of seven, the file cache warm."""
    return min(float(run(IMPORT.format(statement))[0]) for _ in range(7))


def row(what: str, value: float, unit: str, target: float) -> None:
    """Print one line of the table; smaller is better."""
    verdict = "met" if value <= target else "missed"
    print(f"{what:58} {value:9.3f} {unit:8} {target:7.2f}  {verdict}", flush=True)


def main() -> None:
    """Measure and print the table."""
    print(f"{'what':58} {'measured':>9} {'':8} {'target':>7}  verdict")
    jax = fastest_import("import jax")
    row("import wellposed, over import jax", fastest_import("import wellposed") / jax, "x", 1.5)
    everything = fastest_import("import wellposed; wellposed.VAE")
    print(f"{'  the same with all that a fit needs, over import jax':58} {everything / jax:9.3f} x")
    for n, d in ((1_437, 64), (20_000, 784)):
        waits = json.loads(run(FIT.format(n=n, d=d))[-1])
        print(f"  first fit of {n} x {d}, before its first step: {waits[0]:.2f} s of compiling")
        name = f"second fit of {n} x {d}, new data, before its first step"
        row(name, 1e3 * min(waits[1:]), "ms", 50)
    memory = float(run(MEMORY)[-1])
    row("fit of 60,000 x 784 float32: peak memory beside the data", memory / 1024, "GiB", 1.0)
    with tempfile.TemporaryDirectory() as folder:
        seconds, peak = map(float, run(DEMO.format(out=folder + "/demo")))
    row("wellposed demo, compiling included", seconds, "s", 60)
    row("wellposed demo, peak memory", peak / 1024, "GiB", 1.5)


if __name__ == "__main__":
    main()
