"""Print the set-up commands of a README: the lines of its first ``sh`` block."""

import re
import sys
from pathlib import Path

text = Path(sys.argv[1]).read_text(encoding="utf-8")
block = re.search(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
if block is None:
    sys.exit(f"{sys.argv[1]} has no sh block")
for line in block.group(1).splitlines():
    command = line.partition("  #")[0].strip()
    if command:
        print(command)
