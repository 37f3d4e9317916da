"""Refuse folders over 20 files, modules over 500 lines, functions over 60; print their spread."""

import ast
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path

FOLDER_FILES, MODULE_LINES, FUNCTION_LINES = 20, 500, 60

over, sizes = [], []
tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout
for folder, files in Counter(Path(name).parent for name in tracked.splitlines()).items():
    if files > FOLDER_FILES:
        over.append(f"{folder}: {files} files")
for path in sorted(Path(sys.argv[1]).rglob("*.py")):
    source = path.read_text(encoding="utf-8")
    lines = source.count("\n")
    sizes.append(lines)
    if lines > MODULE_LINES:
        over.append(f"{path}: {lines} lines")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                over.append(f"{path}:{node.lineno} {node.name}: {length} lines")
print(f"{len(sizes)} modules, median {statistics.median(sizes):.0f} lines, longest {max(sizes)}")
sys.exit("\n".join(over) or 0)
