"""The section of a card that shows how its model is loaded."""

FILE = "model.wp"  # beside the card


def use(address: str) -> str:
    """Return the last section of a card: how the model at an address is loaded.

    Examples
    --------
    >>> print(use("model.wp"))
    ## Use
    <BLANKLINE>
    ```python
    import wellposed as wp
    <BLANKLINE>
    vae = wp.load("model.wp")
    ```
    <BLANKLINE>
    """
    return f'## Use\n\n```python\nimport wellposed as wp\n\nvae = wp.load("{address}")\n```\n'
