"""``python -m wellposed``: the command line without its console script."""

from wellposed.cli import app

app(prog_name="wellposed")
