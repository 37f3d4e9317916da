"""One table of thresholds: verdicts of different measures on one figure never contradict."""

import io
import json
import math

import numpy as np
import pytest
from rich.console import Console

import wellposed as wp
from wellposed import evaluation
from wellposed.evaluation import Diagnosis, Estimate, Finding, _thresholds
from wellposed.evaluation._thresholds import (
    COVERAGE,
    KL_WEIGHT,
    MISMATCH,
    NOISE_RATIO,
    OUTSIDE,
    OVERFITTING,
    PARETO_K,
    Band,
)
from wellposed.evaluation.diagnosis.fit_checks import check_calibration, check_weights
from wellposed.evaluation.diagnosis.latent_checks import check_collapse, check_prior
from wellposed.evaluation.diagnosis.noise_checks import check_variance_split
from wellposed.evaluation.diagnosis.objective_checks import check_kl_weight
from wellposed.evaluation.diagnosis.record import MARKS
from wellposed.evaluation.latents.prior_mismatch import Mismatch
from wellposed.evaluation.predictive.coverage import LEVELS
from wellposed.reports import Report

BANDS = {
    "coverage": COVERAGE,
    "noise": NOISE_RATIO,
    "kl": KL_WEIGHT,
    "overfitting": OVERFITTING,
    "room": _thresholds.room_for_a_latent(1.0),
}


class Planted:
    """Evidence whose measures are given."""

    d = 5
    rows = np.zeros((300, 5))
    train = train_split = forecast = None
    few = np.arange(300)

    def __init__(self, **measures):
        self.__dict__.update(measures)


def steps(band: Band) -> list[float]:
    """Figures on both sides of every edge of a band."""
    edges = [*band.sound, *(band.tolerable or ())]
    return [edge + by for edge in edges if math.isfinite(edge) for by in (-0.002, 0.002)]


@pytest.mark.parametrize("band", BANDS.values(), ids=BANDS)
def test_a_band_changes_its_verdict_at_its_edges_and_nowhere_else(band):
    low, high = band.sound
    far_low, far_high = band.tolerable or band.sound
    for value in steps(band):
        verdict = band.verdict(Estimate(value, 1e-6))
        if low <= value <= high:
            assert verdict == "sound"
        else:
            tolerable = band.tolerable and far_low <= value <= far_high
            assert verdict == ("caution" if tolerable else "fault")


@pytest.mark.parametrize("band", BANDS.values(), ids=BANDS)
@pytest.mark.parametrize("error", [math.nan, math.inf, 1e3])
def test_without_a_finite_error_or_with_too_few_rows_nothing_is_sound(band, error):
    for value in (band.ideal, *steps(band), math.nan, math.inf, -math.inf):
        assert band.verdict(Estimate(value, error)) == "open"
        assert "300 rows cannot settle this" in band.rows_needed(Estimate(value, error), 300)
    assert band.verdict(Estimate(math.nan, 1e-6)) == "open"


def test_the_rows_that_are_needed_settle_the_figure():
    for value, error in ((1.0, 0.3), (1.05, 0.1), (1.12, 0.03), (1.6, 0.3)):
        figure = Estimate(value, error)
        assert NOISE_RATIO.verdict(figure) == "open"
        text = NOISE_RATIO.rows_needed(figure, 100).split("some ")[1].split(" would")[0]
        smaller = error * math.sqrt(100 / (1.06 * float(text.replace(",", ""))))
        assert NOISE_RATIO.verdict(Estimate(value, smaller)) != "open"


def test_a_figure_at_a_threshold_has_no_number_of_rows():
    figure = Estimate(NOISE_RATIO.sound[1] + 1e-4, 0.01)
    assert NOISE_RATIO.verdict(figure) == "open"
    assert NOISE_RATIO.rows_needed(figure, 1_797).endswith("at the limit of what is tolerable.")


def test_a_figure_is_off_where_no_smaller_error_would_make_it_sound():
    for value, error in ((1.0, 1e-6), (1.05, 0.1), (1.2, 0.1), (math.nan, 0.1), (1.6, math.nan)):
        assert not NOISE_RATIO.is_off(Estimate(value, error))
    for value, error in ((1.2, 0.01), (1.6, 0.1), (3.0, 0.1), (0.5, 0.01)):
        assert NOISE_RATIO.is_off(Estimate(value, error))
    assert NOISE_RATIO.verdict(Estimate(1.6, 0.1)) == "open"  # a fault or not


def test_intervals_that_are_too_narrow_are_called_so_while_the_amount_is_open():
    found = calibration_at(0.786, 0.005)
    assert found.judgement == "open"
    assert found.statement.endswith("too narrow; 300 rows cannot tell whether by much.")
    assert "recalibrate" in found.verdict
    finding = check_calibration(Planted(calibration=found))
    assert (finding.verdict, finding.fault) == ("open", "")
    assert "recalibrate" in finding.remedy


# -- calibration() and diagnose ---------------------------------------------------------------


def calibration_at(held: float, error: float, **more) -> evaluation.Calibration:
    """A calibration whose 90 % intervals hold a given share."""
    at = np.full(len(LEVELS), np.nan)
    at[LEVELS.index(0.9)] = held
    bins = np.ones(20)
    cover = evaluation.Coverage(
        np.asarray(LEVELS), at, np.full(len(LEVELS), error), bins, bins, 300, 5, 49, "posterior"
    )
    score, one = Estimate(0.1, 0.01), np.ones(5)
    crps = evaluation.CRPS(*4 * (one,), *3 * (score,))
    return evaluation.Calibration("reconstruction", cover, crps, **more)


WORDS = {"sound": "calibrated, as far as", "open": "cannot tell"}


@pytest.mark.parametrize("error", [1e-6, 0.004, 0.02, 0.5, math.nan])
def test_calibration_and_diagnose_agree_on_each_side_of_every_threshold(error):
    for held in (*steps(COVERAGE), 0.9, math.nan, 0.0, 1.0):
        calibration = calibration_at(held, error)
        finding = check_calibration(Planted(calibration=calibration))
        assert finding.verdict == calibration.judgement == COVERAGE.verdict(Estimate(held, error))
        assert finding.said in calibration.verdict
        side = "too narrow" if held < 0.9 else "too wide"
        assert WORDS.get(finding.verdict, side) in calibration.verdict
        assert ("as far as" in calibration.verdict) == (finding.verdict == "sound")
        assert ("recalibrate()" in calibration.verdict) == ("recalibrate()" in finding.remedy)
        assert bool(finding.fault) == (finding.verdict == "fault")


@pytest.mark.parametrize("mixing", [1.2, math.nan])
def test_chains_that_have_not_mixed_make_no_model_calibrated(mixing):
    found = calibration_at(0.9, 1e-6, n_hidden=2, acceptance=0.9, mixing=mixing)
    assert found.judgement == "open"
    assert "as far as" not in str(found)


# -- the variance split, the priors, the weights ----------------------------------------------


def split_at(ratio: Estimate) -> evaluation.VarianceSplit:
    nothing, one = Estimate(0.5, 0.01), np.ones(5)
    part = evaluation.Split(*5 * (one,), *6 * (nothing,))
    linear = evaluation.LinearSplit(one, one, 2)
    return evaluation.VarianceSplit(
        one, one, nothing, part, part, linear, one, one, ratio, None, one > 0, one, 300, 2
    )


@pytest.mark.parametrize("error", [1e-6, 0.03, 0.5, math.nan])
def test_the_variance_split_and_diagnose_agree(error):
    class Noise:
        whole = object()

    class Model:
        noise = Noise()

    for value in (*steps(NOISE_RATIO), 1.0, math.nan, math.inf):
        ratio = Estimate(value, error)
        split = split_at(ratio)
        finding = check_variance_split(Planted(split=split, model=Model()))
        assert ("where the likelihood is largest" in split.verdict) == (finding.verdict == "sound")
        assert ("whether it is the best" in split.verdict) == (finding.verdict == "open")
        assert finding.verdict in ("caution", NOISE_RATIO.verdict(ratio))


def test_both_kinds_of_rows_must_be_known_for_a_sound_split():
    good, lost = Estimate(1.0, 0.01), Estimate(math.nan, math.nan)
    for here, there in ((good, lost), (lost, good)):
        evidence = Planted(split=split_at(here), train_split=split_at(there))
        assert check_variance_split(evidence).verdict == "open"


def prior_at(low: float, high: float, outside: float) -> evaluation.PriorMismatch:
    def known(value: float) -> Estimate:
        return Estimate(value, 0.01)

    own = Mismatch(known(low), known(high), known(-3.0), known(0.0), known(outside))
    return evaluation.PriorMismatch(300, known(8.0), (known(7.0), known(8.0)), {"own": own})


@pytest.mark.parametrize("low", [0.0, MISMATCH - 0.01, MISMATCH + 0.01, 1.99, 2.01, math.nan])
@pytest.mark.parametrize("more", [0.1, 9.0, math.nan])
@pytest.mark.parametrize("outside", [0.05, OUTSIDE - 0.01, OUTSIDE + 0.01, math.nan])
def test_the_priors_text_and_diagnose_agree(low, more, outside):
    found = prior_at(low, low + more, outside)
    finding = check_prior(Planted(mismatch=found))
    assert finding.verdict == found.judgement
    assert ("was trained where" in str(found)) == (finding.verdict == "sound")
    assert ("too few to decide" in str(found)) == (finding.verdict == "open")
    if not math.isfinite(low + more + outside):
        assert finding.verdict == "open"


@pytest.mark.parametrize(
    ("shape", "verdict"),
    [(PARETO_K - 0.01, "sound"), (PARETO_K + 0.01, "caution"), (math.nan, "open")],
)
def test_the_weights_text_and_diagnose_agree(shape, verdict):
    shapes = np.full(300, 0.1)
    shapes[:30] = shape
    zero = np.zeros(300)
    likelihood = evaluation.LogLikelihood(zero, zero, zero + 100, shapes)
    terms = type("Terms", (), {"elbo": zero})

    class Model:
        def log_density_bound(self, d):
            return 0.0

    finding = check_weights(Planted(likelihood=likelihood, terms=terms, model=Model()))
    assert finding.verdict == verdict
    assert ("undefined for the other 30" in str(likelihood)) == (finding.verdict == "open")


def test_latents_without_a_finite_rate_are_not_called_active():
    rates = np.array([[1.0, np.nan], [1.0, np.nan]])
    found = evaluation.collapse(rates, np.array([[1.0, 0.0], [-1.0, 0.0]]))
    assert check_collapse(Planted(collapse=found)).verdict == "open"
    assert "1 of them have no finite rate" in str(found)


def test_a_weight_of_the_kl_that_cannot_be_measured_is_open():
    evidence = Planted(kl_weight=Estimate(math.nan, math.nan), split=split_at(Estimate(1.0, 0.01)))
    assert check_kl_weight(evidence).verdict == "open"


# -- as text, JSON, page and colours ----------------------------------------------------------


@pytest.fixture
def unanswered() -> Diagnosis:
    finding = Finding("Calibrated?", "open", "300 rows cannot tell.", figures={"share": math.nan})
    return Diagnosis((finding,), "a VAE", 300, None)


def test_cannot_tell_is_never_shown_as_sound(unanswered):
    sound = Diagnosis((Finding("Calibrated?", "sound", "It is."),), "a VAE", 300, None)
    assert sound.summary == "No fault was found."
    assert unanswered.summary == (
        "No fault was found, but 1 of 1 questions are open (Calibrated?)."
    )
    assert "? Calibrated?" in str(unanswered)
    assert MARKS["sound"] not in str(unanswered)
    (told,) = json.loads(json.dumps(unanswered.to_dict(), allow_nan=False))["findings"]
    assert (told["verdict"], told["figures"]) == ("open", {"share": None})
    for page in (
        unanswered.to_html(),
        unanswered._repr_html_(),
        Report("A report", unanswered, ()).html,
    ):
        body = page.split("</style>")[1]
        assert MARKS["sound"] not in body
        assert "sound" not in body
        assert 'class="open"' in body or 'class="verdict open"' in body
        assert "nan" in body
    assert "Calibrated?" in sound.to_html()


def test_no_two_verdicts_share_a_mark_or_a_colour(unanswered):
    assert len(set(MARKS.values())) == 4
    styles = {}
    for verdict in MARKS:
        finding = Finding("Question", verdict, "Answer.", fault="a fault")
        console = Console(width=80, record=True, force_terminal=True, file=io.StringIO())
        console.print(Diagnosis((finding,), "a VAE", 300, None))
        text = console.export_text(styles=True)
        styles[verdict] = text[: text.index("Question")].rsplit("\x1b[", 1)[1]
    assert len({style.split("m")[0] for style in styles.values()}) == 4
    page = unanswered.to_html()
    colours = [
        part.split("}")[0] for verdict in MARKS for part in page.split(f".{verdict} {{ color: ")[1:]
    ]
    assert len(set(colours)) == 8  # four in light, four in dark


def test_a_rate_that_is_unknown_is_marked_and_no_bar_at_zero():
    texts = [text.get_text() for text in wp.plotting.rates(np.array([np.nan, 2.0, 0.0])).texts]
    assert texts == ["?"]
