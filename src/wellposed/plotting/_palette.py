"""Colours that colour-blind readers can tell apart.

References: Tol (2021), Colour schemes, the scheme "muted", with a grey and a black appended.
"""

PALETTE = (
    "#332288",
    "#CC6677",
    "#117733",
    "#88CCEE",
    "#882255",
    "#DDAA33",
    "#44AA99",
    "#AA4499",
    "#999933",
    "#222222",
)
"""Colours of categories, as hexadecimal RGB: the scheme "muted" of Tol (2021) and a black."""
TRAIN, HELD_OUT, NOISE = PALETTE[3], PALETTE[0], PALETTE[1]
QUIET = "#767676"
"""Grey of what is in the background of a figure, as hexadecimal RGB."""
