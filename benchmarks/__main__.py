"""Every benchmark that the documentation quotes, listed or run again.

    python -m benchmarks                      # the commands, and the pages that quote them
    python -m benchmarks --run FOLDER         # all of them, one after another: days on two cores
    python -m benchmarks --run FOLDER --only how-to/gaps

The list is read from the pages: a command between backticks that begins with `python -m
benchmarks.` or `wellposed reproduce`. What each prints goes to a file of FOLDER; one that has its
file already is not run again, so that the same command continues after an interruption.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_COMMAND = re.compile(r"`((?:python\s+-m\s+benchmarks\.|wellposed\s+reproduce\s)[^`]+)`")
_BLANK = re.compile(r"\b[A-Z]{3,}\b|\.\.\.|…|<|\[")  # in place of something to fill in


def commands() -> dict[str, list[str]]:
    """Return the commands of the documentation, each with the pages that quote it."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    found: dict[str, list[str]] = {}
    for page in pages:
        name = str(page.relative_to(ROOT).with_suffix("")).removeprefix("docs/")
        for match in _COMMAND.findall(page.read_text(encoding="utf-8")):
            command = " ".join(match.partition("#")[0].split())
            if not _BLANK.search(command) and name not in found.setdefault(command, []):
                found[command].append(name)
    return dict(sorted(found.items()))


def run(command: str, folder: Path) -> bool:
    """Run a command, unless its output is there; return whether it ended well."""
    path = folder / (re.sub(r"[^A-Za-z0-9.]+", "-", command) + ".txt")
    if path.exists():
        print(f"has been run: {command}")
        return True
    words = shlex.split(command)
    if words[0] == "python":
        words[0] = sys.executable
    places = [str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))}
    print(f"$ {command}", flush=True)
    start, part = time.monotonic(), path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as output:
        done = subprocess.run(
            words, cwd=folder, env=variables, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    print(f"  {time.monotonic() - start:.0f} s, exit code {done.returncode}", flush=True)
    if done.returncode == 0:
        part.replace(path)
    return done.returncode == 0


def main() -> None:
    """List the commands, or run them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--run", type=Path, metavar="FOLDER", help="run them and write there")
    parser.add_argument("--only", metavar="PAGE", help="those of a page, such as how-to/gaps")
    options = parser.parse_args()
    wanted = {
        command: pages
        for command, pages in commands().items()
        if options.only is None or options.only in pages
    }
    if not wanted:
        sys.exit(f"No page {options.only} quotes a benchmark. Run `python -m benchmarks`.")
    if options.run is None:
        for command, pages in wanted.items():
            print(f"{command}\n    {', '.join(pages)}")
        return
    options.run.mkdir(parents=True, exist_ok=True)
    failed = [command for command in wanted if not run(command, options.run.resolve())]
    sys.exit("These failed:\n  " + "\n  ".join(failed) if failed else 0)


if __name__ == "__main__":
    main()
