"""Every measure of a fitted VAE beside its reference, in one run.

    python -m benchmarks.judge [likelihood] [proposals] [calibration] [inference] [diagnosis]
        [--peers PYTHON]

Each part can be run alone, with options of its own: ``benchmarks.judge.likelihood`` (exact log p,
bounds in order, the sandwich, speed beside PyTorch's), ``benchmarks.judge.proposals`` (refined
proposals beside the encoder's), ``benchmarks.judge.calibration`` (variance split, coverage, CRPS,
before and after recalibration), ``benchmarks.judge.inference`` (gaps, lagging inference, rate and
distortion) and ``benchmarks.judge.diagnosis`` (planted faults).
"""

import argparse
import subprocess
import sys

PARTS = ("likelihood", "proposals", "calibration", "inference", "diagnosis")


def main() -> None:
    """Run the parts one after another, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS))
    parser.add_argument("--peers", help="interpreter with torch, for the speed beside it")
    arguments = parser.parse_args()
    failed = []
    for part in arguments.parts or PARTS:
        command = [sys.executable, "-m", f"benchmarks.judge.{part}"]
        if part == "likelihood" and arguments.peers:
            command += ["--peers", arguments.peers]
        print(f"\n== {part}", flush=True)
        if subprocess.run(command, check=False).returncode:
            failed.append(part)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
