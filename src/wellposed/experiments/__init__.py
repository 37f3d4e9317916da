"""Is the optimisation of the Gaussian VAE well-posed? Each answer a recipe, with its figure."""

from ._conditioning import Conditioning as Conditioning
from ._conditioning import Curvatures as Curvatures
from ._conditioning import conditioning as conditioning
from ._conditioning_picture import conditioning_figure as conditioning_figure
from ._discrete import Discrete as Discrete
from ._discrete import discrete as discrete
from ._divergence import Divergence as Divergence
from ._divergence import divergence as divergence
from ._figures import figures as figures
from ._nonparametric_bound import nonparametric_bound as nonparametric_bound
from ._one_dimension import OneDimension as OneDimension
from ._one_dimension import one_dimension as one_dimension
from ._parsimony_gap import ParsimonyGap as ParsimonyGap
from ._parsimony_gap import parsimony_gap as parsimony_gap
from ._pictures import discrete_figure as discrete_figure
from ._pictures import divergence_figure as divergence_figure
from ._pictures import one_dimension_figure as one_dimension_figure
from ._pictures import parsimony_gap_figure as parsimony_gap_figure
from ._pictures import trained_divergence_figure as trained_divergence_figure
from ._trained_divergence import TrainedDivergence as TrainedDivergence
from ._trained_divergence import trained_divergence as trained_divergence
