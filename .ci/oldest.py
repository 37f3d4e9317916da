"""Print the oldest versions of JAX and NumPy that a pyproject.toml declares, as requirements."""

import re
import sys
import tomllib
from pathlib import Path

declared = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["project"]["dependencies"]
for line in declared:
    found = re.match(r"(jax|numpy)>=([0-9.]+)", line)
    if found:
        print(f"{found[1]}=={found[2]}.*")
