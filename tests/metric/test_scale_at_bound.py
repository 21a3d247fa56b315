import pytest
import torch
from linear_gaussian import LinearGaussian
from torch import Tensor
from torch.distributions import Distribution

from vae_cli.likelihood.bernoulli import BernoulliLikelihood
from vae_cli.likelihood.gaussian import GaussianLikelihood
from vae_cli.metric.base import moments, power_sums
from vae_cli.metric.scale_at_bound import ScaleAtBound


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_share_of_scales(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = LinearGaussian(lengths=(1.0, 0.5))
    batch, vae = truth.batch(8), truth.vae()
    likelihood = GaussianLikelihood(batch.x.shape[1:], min_scale=0.1)
    count = batch.x[0].numel()
    free = torch.zeros(batch.x.shape)
    free.flatten(1)[:, : round(share * count)] = -50.0

    def decode(_: Tensor) -> Distribution:
        return likelihood(torch.stack([batch.x, free], -4))

    monkeypatch.setattr(vae, "decode", decode)
    vae.add_module("likelihood", likelihood)
    values = ScaleAtBound().values(vae, batch, vae.encode(batch))
    numbers = ScaleAtBound().result(
        {name: moments(power_sums(value), len(value)) for name, value in values.items()}
    )
    assert numbers == {"scale_at_bound": pytest.approx(round(share * count) / count)}


def test_nothing_where_no_scale_is_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = LinearGaussian(lengths=(1.0, 0.5))
    batch, vae = truth.batch(8), truth.vae()
    shape = batch.x.shape[1:]
    for likelihood in (GaussianLikelihood(shape, 0.5), BernoulliLikelihood(shape)):
        vae.add_module("likelihood", likelihood)
        monkeypatch.setattr(vae, "decode", lambda _, p=likelihood: p(batch.x.unsqueeze(-4)))
        assert ScaleAtBound().values(vae, batch, vae.encode(batch)) == {}
    assert ScaleAtBound().result({}) == {}
