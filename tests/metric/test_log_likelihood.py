import math
from typing import Any

import pytest
import torch
from linear_gaussian import LinearGaussian
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.likelihood.bernoulli import BernoulliLikelihood
from vae_cli.metric import log_likelihood
from vae_cli.metric.base import accumulate, moments, power_sums
from vae_cli.metric.log_likelihood import LogLikelihood, bits_per_dimension
from vae_cli.model import importance

TRUTH = LinearGaussian()
BATCH = TRUTH.batch(30)
LOG_P = TRUTH.log_likelihood(BATCH.x)
ROWS = pytest.mark.parametrize("rows", [1, 45, 100, 900, 1000, 20_000])


@torch.no_grad()
def measure(samples: int, shift: float = 0.0, log_stretch: float = 0.0) -> dict[str, Any]:
    metric, vae = LogLikelihood(samples), TRUTH.vae(shift, log_stretch)
    torch.manual_seed(0)
    values = metric.values(vae, BATCH, vae.encode(BATCH))
    return dict(metric.result({n: moments(power_sums(v), len(v)) for n, v in values.items()}))


@ROWS
@pytest.mark.parametrize("samples", [1, 7, 30])
def test_is_exact_with_the_true_posterior(
    samples: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importance, "ROWS", rows)
    numbers = measure(samples)
    assert numbers["log_likelihood"] == pytest.approx(LOG_P.mean().item(), abs=1e-9)
    assert numbers["log_likelihood_se"] == pytest.approx(LOG_P.std().item() / 30**0.5, rel=1e-9)
    assert numbers["log_likelihood_samples"] == samples


@ROWS
def test_every_draw_counts_whatever_the_chunks(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importance, "ROWS", rows)
    drawn, vae = [], TRUTH.vae()
    terms = type(vae).terms

    def spy(batch: Batch, samples: int, closed_form_kl: bool, q: Distribution) -> object:
        drawn.append(samples)
        return terms(vae, batch, samples, closed_form_kl, q)

    monkeypatch.setattr(vae, "terms", spy)
    LogLikelihood(70).values(vae, BATCH, vae.encode(BATCH))
    assert sum(drawn) == 70
    assert max(drawn) <= max(1, rows / 30)


@pytest.mark.parametrize("rows", [100, 20_000])
def test_meets_log_p_from_below_with_a_wrong_one(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importance, "ROWS", rows)
    log_p, gap = LOG_P.mean().item(), TRUTH.gap(0.2, 0.3)
    few = measure(1, 0.2, 0.3)["log_likelihood"]
    some = measure(5, 0.2, 0.3)["log_likelihood"]
    many = measure(2000, 0.2, 0.3)["log_likelihood"]
    assert few == pytest.approx(log_p - gap, abs=0.6)
    assert few < some < many
    assert many == pytest.approx(log_p, abs=0.01)


@pytest.mark.parametrize(("shift", "stretch", "nats"), [(0.0, 0.0, 1e-9), (0.2, 0.3, 0.1)])
@torch.no_grad()
def test_some_images_stand_for_all(shift: float, stretch: float, nats: float) -> None:
    # Images differ by nats in log p(x), so a mean over a tenth of them would be far off.
    whole, vae = TRUTH.batch(1000), TRUTH.vae(shift, stretch)
    metric = LogLikelihood(300, images=100).for_split(1000)
    torch.manual_seed(0)
    sums: dict[str, Any] = {}
    for start in range(0, 1000, 250):
        batch = Batch(*(part[start : start + 250] for part in whole))
        values = metric.values(vae, batch, vae.encode(batch))
        accumulate(sums, {name: power_sums(value) for name, value in values.items()})
    numbers = metric.result({name: moments(each, 1000) for name, each in sums.items()})
    log_p = TRUTH.log_likelihood(whole.x)
    assert numbers["log_likelihood"] == pytest.approx(log_p.mean().item(), abs=nats)
    error = log_p.std().item() / 1000**0.5
    assert numbers["log_likelihood_se"] == pytest.approx(error, rel=0.25)
    assert numbers["log_likelihood_images"] == 100


@pytest.mark.parametrize(("count", "total"), [(1, 7), (3, 10), (1000, 10_000), (180, 180)])
def test_measured_images_are_evenly_apart(count: int, total: int) -> None:
    places = log_likelihood._is_among(torch.arange(total), count, total).nonzero().squeeze(1)
    assert len(places) == count and places[0] == 0
    gaps = torch.diff(places)
    assert count == 1 or gaps.max() - gaps.min() <= 1


def test_few_images_are_all_measured() -> None:
    metric = LogLikelihood(5, images=30)
    for split in (metric, metric.for_split(30)):
        vae = TRUTH.vae()
        assert "is_measured" not in split.values(vae, BATCH, vae.encode(BATCH))


def test_uniform_levels_have_eight_bits() -> None:
    # Dequantized levels, uniform in [0, 1]: a density of 1, so log p(x) = 0.
    assert bits_per_dimension(0.0, dimensions=784, levels=256) == 8.0


@pytest.mark.parametrize("levels", [None, 1])
def test_coins_have_one_bit(levels: int | None) -> None:
    image = torch.ones(3, 5, 4, dtype=torch.float64)
    fair = BernoulliLikelihood(image.shape)(torch.zeros_like(image).unsqueeze(0))
    assert bits_per_dimension(fair.log_prob(image).item(), 60, levels) == pytest.approx(1.0)


def test_bits_do_not_depend_on_how_levels_are_scaled() -> None:
    # A density in [0, 1] and the same in [0, 256] differ by log 256 a dimension.
    assert bits_per_dimension(-12.0, 10, 256) == pytest.approx(
        bits_per_dimension(-12.0 - 10 * math.log(256), 10, 1)
    )
