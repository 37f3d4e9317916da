"""Refuse modules over 500 lines and functions over 60; say how the rest is spread."""

import ast
import statistics
import sys
from pathlib import Path

MODULE_LINES, FUNCTION_LINES = 500, 60

over, sizes = [], []
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
