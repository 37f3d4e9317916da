"""Running commands in this process, and a small table to run them on."""

import numpy as np
import pandas as pd
from typer.testing import CliRunner

from wellposed.cli import app

SMALL = ("--components", "2", "--hidden", "8", "--max-epochs", "3", "--resolution", "0.01")


def run(*arguments: object, code: int = 0):
    """Run a command in this process; fail with its output if it ends with another code."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exit_code != code:
        raise AssertionError(
            f"exit code {result.exit_code}:\n{result.output}"
        ) from result.exception
    return result


def table(n: int = 60, d: int = 5) -> np.ndarray:
    """Two factors seen through noise, to two decimals."""
    draws = np.random.default_rng(0)
    weights = draws.normal(size=(2, d))
    return np.round(draws.normal(size=(n, 2)) @ weights + 0.3 * draws.normal(size=(n, d)), 2)


def frame() -> pd.DataFrame:
    """The table with the names that the file of it has."""
    return pd.DataFrame(table(), columns=list("abcde"))
