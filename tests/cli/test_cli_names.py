"""The header's names are the model's feature names."""

import numpy as np
import pytest
from cli_running import run, table

import wellposed as wp

NAMES = list("abcde")


def written(path, values, names=NAMES):
    np.savetxt(path, values, "%.2f", ",", header=",".join(names), comments="")
    return path


def test_fit_keeps_the_names_of_the_header(fitted):
    assert wp.load(fitted.model).feature_names_in_.tolist() == NAMES
    assert "scale" in fitted.result.output


def test_columns_in_another_order_are_put_in_order(fitted, tmp_path):
    """Reversed columns scored −inf without a word."""
    turned = written(tmp_path / "turned.csv", table()[:, ::-1], NAMES[::-1])
    for command in ("score", "encode"):
        expected = run(command, fitted.model, fitted.csv)
        found = run(command, fitted.model, turned)
        assert found.stdout == expected.stdout
        assert "put in the model's order" in found.stderr
        assert "put in the model's order" not in expected.stderr


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a", "b", "c", "d", "wage"], "'e' missing, and 'wage' unknown to the model"),
        (["a", "b", "c", "d", "a"], "'e' missing, and 'a' there more than once"),
        (["a", "b", "c", "d"], "got 'e' missing"),
        ([*NAMES, "wage"], "got 'wage' unknown to the model. --drop 'wage' leaves a column out"),
    ],
)
@pytest.mark.parametrize("command", ["score", "encode", "diagnose", "report"])
def test_extra_and_missing_columns_are_named(fitted, tmp_path, names, said, command):
    values = np.column_stack([table(), table()[:, 0]])[:, : len(names)]
    path = written(tmp_path / "other.csv", values, names)
    output = ["-o", tmp_path / "report.html"] if command == "report" else []
    found = run(command, fitted.model, path, *output, code=2)
    assert said in found.stderr.replace("\n", " ")


def test_data_without_names_are_taken_in_order_and_said_so(fitted, tmp_path):
    path = tmp_path / "bare.csv"
    np.savetxt(path, table(), "%.2f", ",")
    found = run("score", fitted.model, path)
    assert "taken in the model's order, 'a', 'b', 'c', 'd', 'e'" in found.stderr
    assert found.stdout == run("score", fitted.model, fitted.csv).stdout


def test_what_is_written_in_data_units_has_the_models_names(fitted):
    for command in (("sample", fitted.model, "-n", "2"),):
        assert run(*command).stdout.splitlines()[0] == "a,b,c,d,e"


def test_names_with_commas_are_quoted(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text('"wage, net",b\n' + "\n".join(f"{i},{i * i % 7}" for i in range(20)) + "\n")
    model = tmp_path / "model.wp"
    run("fit", path, "-o", model, "--components", "1", "--hidden", "8", "--max-epochs", "2")
    drawn = tmp_path / "drawn.csv"
    run("sample", model, "-n", "3", "-o", drawn)
    assert wp.datasets.read(drawn).feature_names == ("wage, net", "b")


def test_a_bad_value_is_named_by_line_and_column(fitted, tmp_path):
    path = tmp_path / "gaps.csv"
    path.write_text("a,b,c,d,e\n1,2,3,4,5\n\n1,2,,4,5\n")
    said = run("score", fitted.model, path, code=2).stderr
    assert "line 4, column 'c'" in said.replace("\n", " ")
