"""What a number is: its unit, meaning, direction and digits, declared once and used everywhere."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any

from vae_cli.errors import VaeCliError

LEARNING, COLLAPSE = "Is it learning?", "Is the posterior collapsing?"  # groups of charts
CODES, LABELS = "What are the codes like?", "Does it classify well?"
SPEED, OTHERS = "How fast?", "Other numbers"
TABLES = (
    "rows", "evaluated", "columns", "wide", "codes", "validation", "headlines", "hparams", "charts"
)  # fmt: skip
FEW_IMAGES = 30  # below which a standard error is itself off by more than an eighth
LAST = 100  # column of a number that states no other
MOST_DIGITS = 6  # behind the point
LONGEST = {"name": 60, "label": 60, "unit": 20, "meaning": 200, "bound": 4, "group": 60}


@dataclass(frozen=True)
class Number:
    """A number of a model on a set of images, or of a run.

    A metric, an analysis or an objective lists its own in ``declares``; tables, rankings,
    TensorBoard, sweeps and reports read them there. The key ``NAME_se`` holds its standard error.

    Example:
        >>> from vae_cli.number import Number
        >>> Number("sharpness", unit="nats", meaning="largest curvature", larger_is_better=False)
        Number('sharpness', smaller is better)

    Attributes:
        name: Its key in ``results.json`` and ``evaluation.json``, without the split; ``NAME/`` for
            a family of numbers ``NAME/0``, ``NAME/1``, ….
        label: Head of its column; empty for the name.
        unit: Nats, bits, …; empty for none.
        meaning: In a few words. ``{other}`` stands for another number of the record, and
            ``{, |other| draws}`` for that with text around it, left out where it is missing.
        larger_is_better: None: the number does not tell which model is better, and ranks nothing.
        digits: Behind the point, more if its error needs them; None for one significant digit.
        bound: Sign before the value where the estimate of log p(x) is only a bound.
        tables: Where it is shown by default: ``rows`` of the tables of one run (``evaluated``:
            of vae-eval's alone), ``columns`` of all comparisons and sweeps (``wide``: of vae-eval
            and vae-report alone; ``codes``: beside models without a bound; ``validation``: another
            for the validation images), ``headlines`` and ``charts`` of vae-report, ``hparams`` of
            TensorBoard.
        column: Its place among columns.
        group: Of its curves in TensorBoard; empty for none in the overview.
        hides_zero: Whether it is left out of the rows where it is 0.
        is_of_labels: Whether images without a label do not count.
    """

    name: str
    label: str = ""
    unit: str = ""
    meaning: str = ""
    larger_is_better: bool | None = None
    digits: int | None = 2
    bound: str = ""
    tables: tuple[str, ...] = ("rows", "columns", "headlines", "hparams", "charts")
    column: int = LAST
    group: str = OTHERS
    hides_zero: bool = False
    is_of_labels: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", self.label or self.name)  # frozen
        object.__setattr__(self, "tables", tuple(self.tables))
        for field in fields(self):
            if not _is_valid(field.name, getattr(self, field.name)):
                value = repr(getattr(self, field.name))[: LONGEST["label"]]
                raise VaeCliError(
                    f"the number {self.name!r} declares an invalid {field.name}: {value}."
                )

    def __repr__(self) -> str:
        ways = {None: "no direction", True: "larger is better", False: "smaller is better"}
        return f"Number({self.name!r}, {ways[self.larger_is_better]})"


def from_plain(name: str, found: object) -> Number | None:
    """A number read from an untrusted file; None if it is invalid."""
    with suppress(VaeCliError, TypeError):
        return Number(name, **found) if isinstance(found, Mapping) else None
    return None


def _is_valid(field: str, value: Any) -> bool:
    if field in LONGEST:
        is_text = isinstance(value, str) and len(value) <= LONGEST[field] and value.isprintable()
        return is_text and not (field == "name" and not value)
    if field == "tables":
        return all(table in TABLES for table in value)
    if field in ("hides_zero", "is_of_labels", "larger_is_better"):
        return isinstance(value, bool) or (value is None and field == "larger_is_better")
    most = MOST_DIGITS if field == "digits" else LAST
    return (value is None and field == "digits") or (type(value) is int and 0 <= value <= most)


def _row(*args: Any, **fields: Any) -> Number:
    """A number of the tables of one run alone."""
    return Number(*args, **{"tables": ("rows",), "group": "", **fields})


def _curve(*args: Any, group: str, **fields: Any) -> Number:
    """A number of TensorBoard's overview alone."""
    return Number(*args, **{"tables": (), "group": group, **fields})


CLASSIFIERS = ("trained_encoder", "from_scratch", "linear_probe", "nearest_neighbors")
KNOWN = (  # the numbers that several parts measure, or earlier versions; in the order of tables
    Number("elbo", "ELBO", "nats", "bound on log p(x){, |elbo_samples| draws}", True, column=1,
           tables=("rows", "columns", "validation", "headlines", "hparams", "charts"),
           group=LEARNING),
    Number("reconstruction", "reconstruction", "nats", "E log p(x|z)", True, column=8,
           tables=("rows", "codes", "validation", "headlines", "hparams", "charts"),
           group=LEARNING),
    # Each weight of the KL has its own scale.
    _row("weighted_elbo", "weighted ELBO", "nats", "bound at the trained KL weight"),
    _row("denoising", "denoising", "nats", "log p(x|z), z of the corrupted x", True,
         tables=("rows", "headlines", "hparams", "charts"), column=9, group=LEARNING),
    _row("code_l1", "‖z‖₁", "", "‖z‖₁", tables=("rows", "charts"), group=CODES),
    _row("image_l1", "Σ |z_d| ‖∂E[x|z]/∂z_d‖", "", "Σ |z_d| ‖∂E[x|z]/∂z_d‖",
         tables=("rows", "charts"), group=CODES),
    _row("squared_jacobian_norm", "‖∂z/∂x‖²", "", "‖∂z/∂x‖²", tables=("rows", "charts"),
         group=CODES),
    _row("image_jacobian_norm", "‖∂E[x|z]/∂x‖²", "", "‖∂E[x|z]/∂x‖²", tables=("rows", "charts"),
         group=CODES),
    Number("kl", "KL", "nats", "KL(q(z|x)‖p(z))", column=4, group=COLLAPSE),
    _curve("kl_per_dimension/", "KL of each dimension", "nats", group=COLLAPSE),
    _curve("kl_per_layer/", "KL of each layer", "nats", group=COLLAPSE),
    _row("labelled_elbo", "ELBO of x and y", "nats", "bound on log p(x, y)", True, group=LABELS),
    _row("reconstruction_error", "squared error", "", "‖x - E[x|E[z]]‖²", False, column=10,
         tables=("rows", "codes", "headlines"), group=CODES),
    Number("log_likelihood", "log p(x)", "nats",
           "log p(x), S = {log_likelihood_samples}{, |log_likelihood_images| images}", True,
           bound="≥ ", column=2, group=""),
    _row("log_likelihood_mc_se", "", "nats", "error from the draws", digits=None,
         tables=("evaluated",)),
    _row("log_likelihood_bias", "", "nats", "estimated bias", digits=None,
         tables=("rows", "hparams")),
    _row("exact_log_likelihood", "exact log p(x)", "nats", "log p(x), by formula", True),
    Number("effective_sample_size", "ESS", "draws", "of {log_likelihood_samples}, on average",
           digits=0, column=7, tables=("rows", "wide", "hparams"), group=""),
    Number("bits_per_dim", "bits/dim", "bits", "per dimension of x", False, bound="≤ ", column=5,
           tables=("rows", "wide", "headlines", "hparams"), group=""),
    _row("high_pareto_shape", tables=("hparams",)),
    Number("active_units", "active units", "", "of {latent_dim}", column=6, group=COLLAPSE),
    _row("active_units_uncertain", "", "", "that other images may change", hides_zero=True),
    _row("mutual_information_lower", "", "nats", "I(x;z) ≥; up to log {mutual_information_images}"),
    _row("mutual_information_upper", "", "nats", "I(x;z) ≤; {mutual_information_images} images"),
    _row("marginal_kl_lower", "", "nats", "KL(q(z)‖p(z)) ≥"),
    _row("marginal_kl_upper", "", "nats", "KL(q(z)‖p(z)) ≤"),
    Number("error", "error", "", "classification error{, |labelled_images| labels}", False, 3,
           column=3, group=LABELS, is_of_labels=True),
    _row("calibration_error", "calibration error", "", "|accuracy - confidence|", False, 3,
         group=LABELS),
    _row("scale_at_bound", "", "", "share at min_scale"),
    *(_row(f"{name}_accuracy", "", "", "fitted to {probe_images} images", True, 3)
      for name in CLASSIFIERS),
    *(_row(f"{name}_validation_accuracy", "", "", "", True, 3) for name in CLASSIFIERS),
    _row("probe_code_error", "", "", "error of the codes, from the draws", hides_zero=True),
    _row("posterior_normalization", "E_q[p/q]", "", "E_q[p/q], should be 1", digits=3),
    _row("posterior_log_det_error", "", "nats", "should be 0", digits=None),
    _row("posterior_log_prob_error", "", "nats", "should be 0", digits=None),
    _curve("entropy", "entropy of q(y|x)", "nats", tables=("charts",), group=LABELS),
    _curve("label_log_likelihood", "log q(y|x) of the labels", "nats", larger_is_better=True,
           group=LABELS),
)  # fmt: skip
OF_TRAINING = (  # of a run, whatever it trains
    _curve("train/loss", "loss", "nats", "at the current weight", False, group=LEARNING),
    _curve("train/weight", "weight of the KL", tables=("charts",), group=COLLAPSE),
    _curve("train/lr", "learning rate", tables=("charts",), group=SPEED),
    _row("train/images_per_second", "", "images/s", "training alone", True, group=SPEED),
    _row("train/start_seconds", "", "s", "until the first step", False),
    _row("train/seconds", "", "s", "training", False),
    _row("train/validation_seconds", "", "s", "validation", False),
    _row("train/test_seconds", "", "s", "test", False),
    _row("train/figure_seconds", "", "s", "pictures, dashboard", False),
    _row("train/total_seconds", "", "s", "total of the above", False),
    _row("train/steps", tables=()),
    _row("train/epochs", tables=()),
    _row("parameters", tables=()),
    _row("latent_dim", tables=()),
)
BY_NAME = {number.name: number for number in (*KNOWN, *OF_TRAINING)}


def known(*names: str) -> tuple[Number, ...]:
    """Some of the numbers that several parts measure."""
    return tuple(BY_NAME[name] for name in names)


def new_numbers(declared: Iterable[Number]) -> dict[str, Number]:
    """Those of declared numbers that this version does not know without their declaration."""
    return {number.name: number for number in declared if number.name not in BY_NAME}
