"""Against the mutual information and the marginal KL of Gaussians, which are known."""

import math

import pytest
import torch
from linear_gaussian import LinearGaussian

from vae_cli.analysis import mutual_information
from vae_cli.analysis.mutual_information import MutualInformation
from vae_cli.data.dataset import StoredImages
from vae_cli.data.split import Split, Treatment
from vae_cli.model.vae import VAE

AS_IS = Treatment("none", dequantize=False, levels=None)
WEAK = LinearGaussian(lengths=(1.0, 0.4))  # log(1 + 1/.25)/2 + log(1 + .16/.25)/2 = 1.05 nats


def splits(truth: LinearGaussian, count: int, seed: int) -> dict[str, Split]:
    return {"test": Split("test", StoredImages(truth.batch(count, seed).x), AS_IS)}


def known(truth: LinearGaussian) -> float:
    """I(x; z) of the model itself: of a dimension log(1 / posterior variance) / 2."""
    return -truth.posterior_variance.log().sum().item() / 2


def measure(truth: LinearGaussian, vae: VAE, count: int, seed: int = 0) -> dict[str, float]:
    torch.manual_seed(seed)
    return MutualInformation(count).numbers(vae, splits(truth, count, seed), "test")


def averages(truth: LinearGaussian, vae: VAE, count: int, seeds: int) -> dict[str, float]:
    runs = [measure(truth, vae, count, seed) for seed in range(seeds)]
    return {key: sum(run[key] for run in runs) / seeds for key in runs[0]}


def test_bounds_close_in_on_what_is_known() -> None:
    found = averages(WEAK, WEAK.vae().float(), 400, seeds=10)
    exact = known(WEAK)
    assert found["mutual_information_lower"] == pytest.approx(exact, abs=0.04)
    gap = found["mutual_information_upper"] - found["mutual_information_lower"]
    assert 0 < gap < 0.05
    assert found["mutual_information_images"] == 400
    # q(z) is p(z) exactly, and the two parts make up the bound's KL.
    assert found["marginal_kl_lower"] < found["marginal_kl_upper"]
    assert found["marginal_kl_upper"] == pytest.approx(0, abs=0.04)
    total = found["mutual_information_lower"] + found["marginal_kl_upper"]
    assert total == pytest.approx(
        found["mutual_information_upper"] + found["marginal_kl_lower"], rel=1e-6
    )


def test_marginal_kl_of_a_shifted_posterior() -> None:
    # Of every mean 0.5 too far q(z) is N(0.5, I): 0.5²/2 nats a dimension from the prior.
    found = averages(WEAK, WEAK.vae(shift=0.5).float(), 400, seeds=10)
    assert found["marginal_kl_lower"] == pytest.approx(0.25, abs=0.06)
    assert found["marginal_kl_upper"] == pytest.approx(0.25, abs=0.06)
    assert found["mutual_information_lower"] == pytest.approx(known(WEAK), abs=0.06)


def test_lower_bound_stays_below_log_n_where_the_upper_does_not() -> None:
    sharp = LinearGaussian(lengths=(200.0, 200.0))
    found = measure(sharp, sharp.vae().float(), 50)
    assert found["mutual_information_lower"] == pytest.approx(math.log(50), abs=1e-3)
    assert found["mutual_information_upper"] > known(sharp) > math.log(50) + 5


def test_a_posterior_that_is_the_prior_carries_no_information() -> None:
    blind = LinearGaussian(lengths=(0.0, 0.0))
    found = measure(blind, blind.vae().float(), 100)
    for name in ("mutual_information", "marginal_kl"):
        for end in ("_lower", "_upper"):
            assert found[name + end] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("pairs", [1, 90, 1000])
def test_chunks_do_not_matter(pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    split, vae = splits(WEAK, 30, 0)["test"], WEAK.vae().float()
    monkeypatch.setattr(mutual_information, "PAIRS", pairs)
    torch.manual_seed(0)
    log_q, own, log_p = mutual_information._densities(vae, split, split.spread(30))
    assert log_q.shape == (30, 30) and own.shape == log_p.shape == (30,)
    torch.testing.assert_close(log_q.diagonal(), own, rtol=1e-5, atol=1e-4)
    assert (log_q.diagonal() > log_q.mean(1)).float().mean() > 0.9  # rows are draws


def test_one_image_tells_nothing() -> None:
    assert MutualInformation().numbers(WEAK.vae().float(), splits(WEAK, 1, 0), "test") == {}


@pytest.mark.parametrize("count", [2, 5, 20])
def test_bounds_are_on_their_sides_of_what_is_known(count: int) -> None:
    runs = [measure(WEAK, WEAK.vae().float(), count, seed) for seed in range(300)]
    for name, side in (("mutual_information_lower", -1), ("mutual_information_upper", 1)):
        values = torch.tensor([run[name] for run in runs])
        error = values.std() / len(runs) ** 0.5
        assert side * (values.mean() - known(WEAK)) > -2 * error
