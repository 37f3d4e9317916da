"""The closed list of classes that a file may contain, with names that never change.

A file names a class by its wire name. A class that moves or is renamed keeps its wire name, so
that files of earlier versions load. A new class that a model can contain is added here.
"""

from wellposed import latents, models, nn, noise, objectives, tables, transforms
from wellposed.nn._conv import ConvSettings, Kernel
from wellposed.nn._pyramid import Pyramid
from wellposed.noise.causal.window import Window
from wellposed.noise.counts.dispersion import Dispersion
from wellposed.noise.counts.row_size import CountUnits, RowSize
from wellposed.noise.levels.discretized import Cells
from wellposed.noise.missing import End, Fill, Limits
from wellposed.noise.parts import ConstantDensity, Constants, FeatureUnits, LevelUnits, Scale
from wellposed.noise.positive.amounts import Amounts
from wellposed.noise.real.degrees import Degrees
from wellposed.noise.table.columns import TableUnits

CLASSES: dict[str, type] = {
    "latents.DiagonalNormal": latents.DiagonalNormal,
    "latents.FlowPrior": latents.FlowPrior,
    "latents.GaussianMixture": latents.GaussianMixture,
    "latents.StandardNormal": latents.StandardNormal,
    "latents.VampPrior": latents.VampPrior,
    "models.Classifier": models.Classifier,
    "models.Covariance": models.Covariance,
    "models.FactorAnalysis": models.FactorAnalysis,
    "models.FactorAnalysisModel": models.FactorAnalysisModel,
    "models.GaussianModel": models.GaussianModel,
    "models.Inferred": models.Inferred,
    "models.LinearVAEModel": models.LinearVAEModel,
    "models.MixturePPCAModel": models.MixturePPCAModel,
    "models.PPCAModel": models.PPCAModel,
    "models.Reach": models.Reach,
    "models.SecondStage": models.SecondStage,
    "models.Spectrum": models.Spectrum,
    "models.StationaryPoint": models.StationaryPoint,
    "models.VAEModel": models.VAEModel,
    "nn.ConvDecoder": nn.ConvDecoder,
    "nn.ConvEncoder": nn.ConvEncoder,
    "nn.ConvSettings": ConvSettings,
    "nn.Kernel": Kernel,
    "nn.Linear": nn.Linear,
    "nn.LinearSkip": nn.LinearSkip,
    "nn.MLP": nn.MLP,
    "nn.MakeConvDecoder": nn.MakeConvDecoder,
    "nn.MakeConvEncoder": nn.MakeConvEncoder,
    "nn.MakeMLP": nn.MakeMLP,
    "nn.Pyramid": Pyramid,
    "noise.Amounts": Amounts,
    "noise.Bernoulli": noise.Bernoulli,
    "noise.Beta": noise.Beta,
    "noise.BetaBinomial": noise.BetaBinomial,
    "noise.Categorical": noise.Categorical,
    "noise.CausalGaussian": noise.CausalGaussian,
    "noise.CausalLogistic": noise.CausalLogistic,
    "noise.Cells": Cells,
    "noise.Centred": FeatureUnits,
    "noise.Censored": noise.Censored,
    "noise.Columns": noise.Columns,
    "noise.Constants": Constants,
    "noise.ContinuousBernoulli": noise.ContinuousBernoulli,
    "noise.Degrees": Degrees,
    "noise.DiscretizedGaussian": noise.DiscretizedGaussian,
    "noise.DiscretizedLogistic": noise.DiscretizedLogistic,
    "noise.Dispersion": Dispersion,
    "noise.End": End,
    "noise.Fill": Fill,
    "noise.Gamma": noise.Gamma,
    "noise.Gaussian": noise.Gaussian,
    "noise.Ignorable": noise.Ignorable,
    "noise.Laplace": noise.Laplace,
    "noise.Limits": Limits,
    "noise.LogNormal": noise.LogNormal,
    "noise.LowRankGaussian": noise.LowRankGaussian,
    "noise.NegativeBinomial": noise.NegativeBinomial,
    "noise.Pinned": ConstantDensity,
    "noise.Placed": TableUnits,
    "noise.Poisson": noise.Poisson,
    "noise.Quantile": noise.Quantile,
    "noise.Rescaled": noise.Rescaled,
    "noise.RowSize": RowSize,
    "noise.Scale": Scale,
    "noise.SelfMasking": noise.SelfMasking,
    "noise.Shown": LevelUnits,
    "noise.ShownCounts": CountUnits,
    "noise.StudentT": noise.StudentT,
    "noise.TruncatedNormal": noise.TruncatedNormal,
    "noise.Window": Window,
    "noise.ZeroInflated": noise.ZeroInflated,
    "objectives.BetaELBO": objectives.BetaELBO,
    "objectives.ELBO": objectives.ELBO,
    "objectives.ElboTerms": objectives.ElboTerms,
    "objectives.Evaluation": objectives.Evaluation,
    "objectives.IWAE": objectives.IWAE,
    "objectives.SquaredError": objectives.SquaredError,
    "tables.Clock": tables.Clock,
    "tables.Column": tables.Column,
    "tables.Schema": tables.Schema,
    "transforms.ByColumn": transforms.ByColumn,
    "transforms.Identity": transforms.Identity,
    "transforms.Log": transforms.Log,
    "transforms.Log1p": transforms.Log1p,
    "transforms.Logit": transforms.Logit,
    "transforms.Moments": transforms.Moments,
    "transforms.Standardize": transforms.Standardize,
    "transforms.Summary": transforms.Summary,
    "transforms.Support": transforms.Support,
    "transforms.Suspect": transforms.Suspect,
    "transforms.Transformed": transforms.Transformed,
    "transforms.Unit": transforms.Unit,
}
WIRE_NAMES = {cls: name for name, cls in CLASSES.items()}
