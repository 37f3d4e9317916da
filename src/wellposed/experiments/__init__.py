"""Is the optimisation of the Gaussian VAE well-posed? Each answer a recipe, with its figure."""

from ._conditioning import Conditioning as Conditioning
from ._conditioning import Curvatures as Curvatures
from ._conditioning import conditioning as conditioning
from ._conditioning_picture import conditioning_figure as conditioning_figure
