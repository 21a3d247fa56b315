import pytest
import torch

from vae_cli.distribution.normal import StandardNormal
from vae_cli.distribution.point import Point
from vae_cli.distribution.relations import closed_form_kl, kl_per_dimension, mean

CODE = torch.arange(6.0).view(3, 2)


@pytest.mark.parametrize("shape", [(), (4,), (4, 5)])
def test_every_draw_is_the_point(shape: tuple[int, ...]) -> None:
    code = CODE.clone().requires_grad_()
    q = Point(code)
    assert (q.batch_shape, q.event_shape) == ((3,), (2,))
    z = q.rsample(shape)
    assert z.shape == (*shape, 3, 2)
    assert torch.equal(z, CODE.expand(z.shape)) and torch.equal(q.sample(shape), z)
    z.sum().backward()
    assert torch.equal(code.grad, torch.full((3, 2), float(torch.Size(shape).numel())))


def test_its_mean_is_itself_and_it_has_no_density() -> None:
    q, p = Point(CODE), StandardNormal(torch.zeros(2))
    assert mean(q) is CODE
    assert torch.equal(q.variance, torch.zeros(3, 2))
    assert closed_form_kl(q, p) is None and kl_per_dimension(q, p) is None
    with pytest.raises(NotImplementedError):
        q.log_prob(CODE)
