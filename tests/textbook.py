"""A VAE as papers train it: tests of one part do not depend on the defaults of the others."""

from typing import Any

import wellposed as wp
from wellposed.experiments import TEXTBOOK


def textbook_vae(n_components: Any = TEXTBOOK["n_components"], **settings: Any) -> wp.VAE:
    """Return ``wp.VAE`` with N(0, I), networks as drawn, one σ² and Adam, beside these settings."""
    return wp.VAE(**(TEXTBOOK | settings | {"n_components": n_components}))
