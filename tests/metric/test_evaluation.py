import itertools
from typing import Any

import numpy as np
import pytest
import torch
from linear_gaussian import LinearGaussian
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.distribution.normal import DiagonalNormal
from vae_cli.metric.active_units import ActiveUnits
from vae_cli.metric.base import Evaluation, Metric, mean_and_error, moments, power_sums
from vae_cli.metric.codes import Codes
from vae_cli.metric.kl_per_dimension import KlPerDimension
from vae_cli.metric.log_likelihood import LogLikelihood
from vae_cli.metric.reconstruction_error import ReconstructionError
from vae_cli.metric.reported import Reported
from vae_cli.model.vae import VAE
from vae_cli.objective.elbo import Elbo
from vae_cli.objective.sparse import Sparse

TRUTH = LinearGaussian()
MODEL = TRUTH.vae(shift=0.2, log_stretch=0.3)
BATCH = TRUTH.batch(50)
METRICS: dict[str, Metric] = {
    "reported": Reported(Elbo(samples=2)),
    "active_units": ActiveUnits(),
    "kl_per_dimension": KlPerDimension(),
    "log_likelihood": LogLikelihood(samples=40),
    "reconstruction_error": ReconstructionError(),
    "codes": Codes(),
}
BATCHES = [Batch(*part) for part in zip(*(tensor.split(12) for tensor in BATCH), strict=True)]


def evaluate(metrics: dict[str, Metric], ranks: int = 1, seed: int = 0) -> dict[str, Any]:
    """The numbers, the batches dealt out to so many processes."""
    parts = [Evaluation(metrics, seed, "test") for _ in range(ranks)]
    for number, batch in enumerate(BATCHES):
        parts[number % ranks].add(MODEL, number, batch)
    return parts[0].results(part.state for part in parts)


ALL = evaluate(METRICS)


def test_batches_are_of_unequal_sizes() -> None:
    assert [len(batch.x) for batch in BATCHES] == [12, 12, 12, 12, 2]


@pytest.mark.parametrize("ranks", [2, 3, 7])  # the last leaves two processes without a batch
def test_number_of_processes_does_not_matter(ranks: int) -> None:
    assert evaluate(METRICS, ranks) == pytest.approx(ALL, rel=1e-12)


@pytest.mark.parametrize("name", METRICS)
def test_other_metrics_do_not_matter(name: str) -> None:
    alone = evaluate({name: METRICS[name]})
    assert alone == {key: ALL[key] for key in alone}


def test_order_of_metrics_does_not_matter() -> None:
    for names in itertools.islice(itertools.permutations(METRICS), 0, None, 43):
        assert evaluate({name: METRICS[name] for name in names}) == ALL


def test_every_metric_gives_its_numbers() -> None:
    assert set(ALL) == {
        *(f"{name}{end}" for name in ("elbo", "reconstruction", "kl") for end in ("", "_se")),
        "active_units",
        "active_units_uncertain",
        "code_variance/0",
        "code_variance/1",
        "kl_per_dimension/0",
        "kl_per_dimension/1",
        *(f"log_likelihood{end}" for end in ("", "_se", "_samples", "_is_bound", "_adapted")),
        *(f"log_likelihood_{end}" for end in ("mc_se", "bias", "bias_se")),
        "effective_sample_size",
        "low_effective_sample_size",
        "high_pareto_shape",
        *(f"reconstruction_error{end}" for end in ("", "_se")),
    }


def test_seed_decides_the_noise() -> None:
    assert evaluate(METRICS) == ALL
    assert evaluate(METRICS, seed=1)["elbo"] != ALL["elbo"]


def test_each_metric_has_its_own_noise() -> None:
    metric = METRICS["log_likelihood"]
    assert evaluate({"one": metric}) != evaluate({"other": metric})


def test_draws_elsewhere_do_not_matter() -> None:
    torch.manual_seed(123)
    assert evaluate(METRICS) == ALL


@pytest.mark.parametrize("count", [2, 5, 1000])
@pytest.mark.parametrize("offset", [0.0, -1e4])
def test_mean_and_standard_error(count: int, offset: float) -> None:
    values = np.random.default_rng(0).normal(offset, 3, count)
    numbers = mean_and_error("x", moments(power_sums(torch.from_numpy(values)), count))
    assert numbers["x"] == pytest.approx(values.mean())
    assert numbers["x_se"] == pytest.approx(values.std(ddof=1) / count**0.5, rel=1e-6)


def test_standard_error_of_one_image_is_unknown() -> None:
    one = moments(power_sums(torch.tensor([2.0])), 1)
    assert mean_and_error("x", one) == {"x": 2.0, "x_se": None}


def test_sums_are_in_float64() -> None:
    values = torch.full((1000,), 1e4 + 1e-3)
    total = power_sums(values)
    assert total.dtype == torch.float64
    expected = 1000 * values[0].double()
    torch.testing.assert_close(total[0], expected, rtol=1e-14, atol=0)


def test_reported_numbers_are_near_what_they_estimate() -> None:
    log_p = TRUTH.log_likelihood(BATCH.x).mean().item()
    elbo = log_p - TRUTH.gap(0.2, 0.3)
    assert ALL["elbo"] == pytest.approx(elbo, abs=4 * ALL["elbo_se"])
    assert ALL["elbo"] == pytest.approx(ALL["reconstruction"] - ALL["kl"], rel=1e-12)
    kl = [ALL["kl_per_dimension/0"], ALL["kl_per_dimension/1"]]
    assert sum(kl) == pytest.approx(ALL["kl"], abs=4 * ALL["kl_se"])


@torch.no_grad()
def test_what_is_trained_for_is_monitored() -> None:
    values = Reported(Elbo(), 0.25).values(MODEL, BATCH, MODEL.encode(BATCH))
    expected = values["reconstruction"] - 0.25 * values["kl"]
    torch.testing.assert_close(values["weighted_elbo"], expected)
    assert Reported(Elbo(), 0.25).monitor == "weighted_elbo"
    assert Reported(Elbo(), 1.0).monitor == "elbo"
    assert Reported(Sparse(), 0.25).monitor == "reconstruction"  # it has no KL


def test_reconstruction_error_is_of_the_posterior_mean() -> None:
    error = (MODEL.decode(MODEL.encode(BATCH).mean).mean - BATCH.x).square().sum((1, 2, 3))
    assert ALL["reconstruction_error"] == pytest.approx(error.mean().item(), rel=1e-12)


def test_kept_values_are_those_of_each_image() -> None:
    evaluation = Evaluation(METRICS, 0, "test", keeps_values=True)
    for number, batch in enumerate(BATCHES):
        evaluation.add(MODEL, number, batch)
    kept = {key: torch.cat([part[key] for part in evaluation.state.kept]) for key in ("kl", "elbo")}
    for key, values in kept.items():
        assert values.shape == (50,)
        assert values.mean().item() == pytest.approx(ALL[key])


def test_resumes_where_another_stopped() -> None:
    first = Evaluation(METRICS, 0, "test")
    for number, batch in enumerate(BATCHES[:2]):
        first.add(MODEL, number, batch)
    second = Evaluation(METRICS, 0, "test", state=first.state)
    for number, batch in enumerate(BATCHES[2:], start=2):
        second.add(MODEL, number, batch)
    assert second.results([second.state]) == ALL


class DrawsInEncode(VAE):
    """A model whose encoder draws."""

    def encode(self, batch: Batch) -> Distribution:
        q = super().encode(batch)
        return DiagonalNormal(q.loc + torch.randn_like(q.loc), q.log_scale)


def test_encoders_that_draw_do_not_see_the_default_generator() -> None:
    model, metric = TRUTH.vae(), ReconstructionError()
    model.__class__ = DrawsInEncode
    numbers = []
    for seed in (0, 123):
        torch.manual_seed(seed)
        evaluation = Evaluation({"reconstruction_error": metric}, 0, "test")
        evaluation.add(model, 0, BATCH)
        numbers.append(evaluation.results([evaluation.state]))
    assert numbers[0] == numbers[1]
