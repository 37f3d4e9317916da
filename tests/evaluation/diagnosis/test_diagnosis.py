"""Faults planted in a model that can be solved: the one named first is the one planted."""

import io
import json
import math
from html.parser import HTMLParser

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.distributions import Normal

import wellposed as wp
from linear_gaussian import exact_model, rows_of
from variants import slow_beside
from wellposed import evaluation, transforms
from wellposed.evaluation.diagnosis.evidence import Evidence
from wellposed.evaluation.diagnosis.noise_checks import _foremost
from wellposed.noise import Gaussian
from wellposed.numerics import inverse_positive

KEY = jax.random.key(0)
N = 1_200


def model_and_rows(model_variance: float = 0.3, data_variance: float = 0.3):
    """A model solved for one noise variance; rows held out and of the training, from another's."""
    model, _ = exact_model(variance=model_variance)
    rows = rows_of(exact_model(variance=data_variance)[1], 2 * N)
    return model, rows[:N], rows[N:]


def diagnosed(model, rows, train):
    return evaluation.diagnose(model, rows, train=train, key=KEY)


def with_spread(factor: float):
    """A posterior that many times too wide."""
    model, _ = exact_model(spread=factor)
    return (model, *model_and_rows()[1:])


def unbounded():
    model, rows, train = model_and_rows()
    moments = model.transform.moments(transforms.summarise(train, 0.0), key=KEY)
    noise = Gaussian("shared", floor=0.0).initialise(moments)
    return eqx.tree_at(lambda m: m.noise, model, noise), rows, train


class WithoutDeterminant(transforms.AbstractTransform):
    """Halves the data and does not say so."""

    @property
    def domain(self):
        return transforms.REALS

    @property
    def range(self):
        return transforms.REALS

    def fit(self, summary):
        return self

    def forward(self, x, *, key):
        return transforms.Transformed(x / 2, jnp.zeros(()))

    def inverse(self, y):
        return 2 * y

    def moments(self, summary, *, key):
        return transforms.Identity().moments(summary, key=key)

    def log_det_bound(self, d):
        return 0.0


def wrong_jacobian():
    model, rows, train = model_and_rows()
    model = eqx.tree_at(lambda m: m.transform, model, WithoutDeterminant())
    return model, 2 * rows, 2 * train


class NeverBelowOne(eqx.Module):
    def __call__(self, raw):
        k = raw.shape[0] // 2
        return Normal(raw[:k], 1.0 + jax.nn.softplus(raw[k:]))


def floored():
    model, rows, train = model_and_rows()
    return eqx.tree_at(lambda m: m.posterior, model, NeverBelowOne()), rows, train


def nearer(rows: np.ndarray, share: float) -> np.ndarray:
    """Rows moved onto the plane of the latents, so that a share of their noise is left."""
    loadings = np.asarray(exact_model()[0].decoder.weight).T
    mean = np.asarray(exact_model()[0].decoder.bias)
    onto = loadings @ np.linalg.pinv(loadings)
    inside = (rows - mean) @ onto.T + mean
    return inside + share * (rows - inside)


def overfitted():
    """The noise of training rows that the decoder has learned by heart for one half."""
    model, rows, train = model_and_rows(0.25 * 0.3, 0.3)
    return model, rows, nearer(train, 0.5)


def refitted():
    """σ² set to the mean squared residual of the rows to be scored, which training kept smaller."""
    model, rows, train = model_and_rows()
    split = evaluation.variance_split(model, rows, key=jax.random.key(1), n_draws=64)
    best = 0.3 / split.total_ratio.value
    return eqx.tree_at(lambda m: m.noise, model, Gaussian(best)), rows, nearer(train, 0.8)


def off_the_prior():
    model, rows, train = model_and_rows()
    by = jnp.array([5.0, 0.0])
    model = eqx.tree_at(
        lambda m: (m.encoder.bias, m.decoder.bias),
        model,
        (model.encoder.bias.at[:2].add(by), model.decoder.bias - by @ model.decoder.weight),
    )
    return model, rows, train


def collapsed_that_could_be_active():
    model, rows, train = model_and_rows()
    # The first latent falls silent, and σ² takes up what it explained.
    weight = model.encoder.weight.at[:, jnp.array([0, 2])].set(0.0)
    bias = model.encoder.bias.at[jnp.array([0, 2])].set(0.0)
    decoder = model.decoder.weight.at[0].set(0.0)
    noise = Gaussian(0.3 + 4.0 / 5)
    parts = (weight, bias, decoder, noise)
    where = lambda m: (m.encoder.weight, m.encoder.bias, m.decoder.weight, m.noise)  # noqa: E731
    model = eqx.tree_at(where, model, parts)
    # The other's q is as wide as that σ² asks for.
    scale = 1 / np.sqrt(1 + 1 / (0.3 + 4.0 / 5))
    raw = model.encoder.bias.at[3].set(inverse_positive(jnp.asarray(scale)))
    return eqx.tree_at(lambda m: m.encoder.bias, model, raw), rows, train


PLANTED = {
    "unbounded": unbounded,
    "Jacobian": wrong_jacobian,
    "refitted": refitted,
    "floor": floored,
    "no weight": lambda: with_spread(0.05),
    "too little": lambda: with_spread(0.4),
    "too much": lambda: with_spread(1.6),
    "too large": lambda: model_and_rows(0.3, 0.05),
    "too small": lambda: model_and_rows(0.05, 0.3),
    "overfitted": overfitted,
    "not where the prior is": off_the_prior,
    "collapsed latents could be active": collapsed_that_could_be_active,
}


# Of the noise's and the encoder's faults one each; those of training rows are slow, and the others.
IN_SHORT = ("too much", "too large")


@pytest.mark.parametrize(
    "words",
    slow_beside(PLANTED, IN_SHORT),
)
def test_the_fault_named_first_is_the_one_planted(words):
    found = diagnosed(*PLANTED[words]())
    assert found.faults, str(found)
    assert words in found.faults[0].fault
    assert found.faults[0].remedy
    assert found.faults[0].fault[1:] in found.summary
    assert found.findings[0].question == "Better than simpler models?"


@pytest.mark.parametrize("seed", slow_beside(range(3), [0]))
def test_nothing_wrong_is_named_on_a_sound_model(seed):
    model, density = exact_model(seed=seed)
    rows = rows_of(density, 2 * N)
    found = diagnosed(model, rows[:N], rows[N:])
    assert found.faults == ()
    outcome, *others = found.findings
    assert all(f.verdict == "sound" for f in others), str(found)
    # On data of a linear Gaussian model, none is better than the linear model.
    assert outcome.verdict == "caution"
    assert "as good as probabilistic PCA" in outcome.said


def test_without_training_rows_what_they_would_show_stays_open():
    model, rows, _ = model_and_rows()
    found = evaluation.diagnose(model, rows, key=KEY)
    assert {f.question for f in found.findings if f.verdict == "open"} == {
        "Better than simpler models?",
        "Noise as trained?",
        "Overfitted?",
    }
    assert "needs training rows" in found.findings[0].said
    assert found.n_train_rows is None


def collapsed(variance):
    """A model of independent features, its latents all collapsed."""
    model, _ = exact_model()
    where = lambda m: (m.encoder.weight, m.encoder.bias, m.decoder.weight, m.noise)  # noqa: E731
    parts = 0 * model.encoder.weight, jnp.zeros(4), 0 * model.decoder.weight, Gaussian(variance)
    return eqx.tree_at(where, model, parts)


def test_a_collapse_that_the_data_call_for_is_no_fault():
    model = collapsed(9.0)
    small = np.random.default_rng(0).normal(scale=3.0, size=(2 * N, 5)) + np.asarray(
        model.decoder.bias
    )
    found = diagnosed(model, small[:N], small[N:])
    assert found.faults == ()
    assert "2 of 2 latents have collapsed" in str(found)


def test_a_collapse_while_a_simpler_model_is_ahead_is_not_sound():
    """Half of the rows are four times as wide: uncorrelated, and no linear latent helps."""
    model, draws = collapsed(12.0), np.random.default_rng(0)
    width = np.where(np.arange(2 * N) % 2, 1.0, 4.0)[:, None]
    rows = width * draws.normal(size=(2 * N, 5)) + np.asarray(model.decoder.bias)
    found = {f.question: f for f in diagnosed(model, rows[:N], rows[N:]).findings}
    assert found["Better than simpler models?"].verdict == "fault"
    assert found["Collapsed?"].verdict == "caution"
    assert "a simpler model is ahead" in found["Collapsed?"].said
    assert "kl_warmup" in found["Collapsed?"].remedy


def test_too_few_rows_are_refused_with_how_many_it_takes():
    model, rows, train = model_and_rows()
    with pytest.raises(wp.DataError, match=r"20 rows or more.* got 19"):
        diagnosed(model, rows[:19], train)
    with pytest.raises(wp.DataError, match="20 training rows or more"):
        diagnosed(model, rows, train[:3])


def test_a_figure_that_is_off_but_not_clearly_says_how_many_rows_would_tell():
    model, rows, train = model_and_rows(0.3, 0.15)
    found = diagnosed(model, rows[:20], train[:20])
    split = next(f for f in found.findings if f.question == "Variance split?")
    assert split.verdict in ("open", "fault")
    if split.verdict == "open":
        assert "20 rows cannot settle this" in split.said


class Balanced(HTMLParser):
    """Every tag that opens closes."""

    def __init__(self):
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_feature_that_has_most_of_a_difference_is_named_and_why():
    model, rows, train = model_and_rows()
    train = train.copy()
    train[:3, 1] = 1e5
    evidence = Evidence(model, rows, train, key=KEY, names=list("abcde"))
    assert _foremost(evidence, np.array([-6.0, 1.0, 1.0, 1.0, 1.0])) == (
        " 60% of the difference is that of 'a'."
    )
    apart = _foremost(evidence, np.array([1.0, 9.0, 0.0, 0.0, 0.0]))
    assert apart.startswith(" 90% of the difference is that of 'b', where some values stand apart")
    assert _foremost(evidence, np.array([2.0, 2.0, 0.0, 0.0, 0.0])) == ""
    assert _foremost(evidence, np.zeros(5)) == ""


def test_it_becomes_a_dictionary_and_a_page():
    found = diagnosed(*unbounded())
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["findings"][1]["figures"]["log density bound"] is None
    assert math.isinf(found.findings[1].figures["log density bound"])
    assert [f["question"] for f in told["findings"]] == [f.question for f in found.findings]
    for text in (found.to_html(), found._repr_html_()):
        page = Balanced()
        page.feed(text)
        assert page.open == []
        assert "http" not in text
    assert found.to_html().startswith("<!doctype html>")
    from rich.console import Console

    console = Console(width=80, record=True, file=io.StringIO())
    console.print(found)
    assert "Bounded?" in console.export_text()


def test_a_posterior_wider_than_the_prior_is_of_no_weight_of_the_kl():
    found = diagnosed(*with_spread(20.0))
    (finding,) = [each for each in found.findings if each.question == "Trained on the ELBO?"]
    assert finding.verdict == "fault"
    assert finding.said.startswith("No weight of the KL explains the posterior")
    assert math.isinf(finding.figures["implied weight of the KL"])
    assert "± nan" not in str(found)
