import pytest
from exact import build, images, marginal
from linear_gaussian import LinearGaussian

from vae_cli.metric.base import moments, power_sums
from vae_cli.metric.exact_log_likelihood import ExactLogLikelihood


def test_is_the_density_of_the_marginal() -> None:
    model, batch = build("factor analysis"), images(9)
    values = ExactLogLikelihood().values(model, batch, model.encode(batch))
    numbers = ExactLogLikelihood().result(
        {name: moments(power_sums(value), len(value)) for name, value in values.items()}
    )
    expected = marginal(model).log_prob(batch.x.flatten(1))
    assert numbers["exact_log_likelihood"] == pytest.approx(expected.mean().item())
    error = expected.std().item() / 3
    assert numbers["exact_log_likelihood_se"] == pytest.approx(error)


def test_nothing_where_there_is_no_formula() -> None:
    truth = LinearGaussian()
    vae, batch = truth.vae(), truth.batch(5)
    assert ExactLogLikelihood().values(vae, batch, vae.encode(batch)) == {}
    assert ExactLogLikelihood().result({}) == {}
