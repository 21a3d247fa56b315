"""The objectives of autoencoders: a new one adds a row."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Size, Tensor
from torch.autograd.functional import jacobian

from vae_cli.data.batch import Batch
from vae_cli.errors import InvalidOption
from vae_cli.likelihood.gaussian import GaussianLikelihood
from vae_cli.model.autoencoder import Autoencoder
from vae_cli.network.base import Network
from vae_cli.network.conv import Conv
from vae_cli.network.gated_conv import GatedConv
from vae_cli.network.mlp import MLP
from vae_cli.objective.base import Objective, SingleObjective
from vae_cli.objective.contractive import Contractive
from vae_cli.objective.denoising import Denoising
from vae_cli.objective.jacobian import decoder_jacobian, encoder_jacobian
from vae_cli.objective.reconstruction import Reconstruction
from vae_cli.objective.sparse import Sparse

OBJECTIVES: dict[str, Callable[[], SingleObjective]] = {
    "reconstruction": Reconstruction,
    "sparse": partial(Sparse, sparsity_weight=0.7),
    **{f"denoising, {c}": partial(Denoising, corruption=c)
       for c in ("gaussian", "masking", "salt_and_pepper")},
    "contractive": partial(Contractive, contraction_weight=0.7),
}  # fmt: skip
NETWORKS: dict[str, Callable[..., Network]] = {
    "linear": partial(MLP, hidden_dims=[]),
    "mlp": partial(MLP, hidden_dims=[7], activation="tanh"),
    "relu": partial(MLP, hidden_dims=[9, 8]),
    "conv": partial(Conv, channels=[3], hidden_dim=5, activation="softplus"),
    "gated conv": partial(GatedConv, channels=[3, 4], strides=[1, 2], hidden_dim=5),
}
ROWS = pytest.mark.parametrize("make", OBJECTIVES.values(), ids=OBJECTIVES)
NETS = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
SHAPE = Size([2, 4, 3])


def build(network: Callable[..., Network] = NETWORKS["mlp"]) -> Autoencoder:
    torch.manual_seed(0)
    return Autoencoder(SHAPE, 3, network, network, partial(GaussianLikelihood, scale=0.8)).double()


def batch(count: int) -> Batch:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(count, *SHAPE, generator=generator, dtype=torch.float64)
    return Batch(x, x, torch.full((count,), -1), torch.arange(count))


def evaluate(
    objective: SingleObjective, model: Autoencoder, images: Batch, weight: float = 1.0
) -> tuple[Tensor, dict[str, Tensor]]:
    torch.manual_seed(2)
    return objective(model, images, weight)


@ROWS
@pytest.mark.parametrize("count", [1, 4])
def test_reported(make: Callable[[], SingleObjective], count: int) -> None:
    objective, model, images = make(), build(), batch(count)
    loss, reported = evaluate(objective, model, images)
    assert loss.shape == () and loss.requires_grad
    assert all(quantity.shape == (count,) for quantity in reported.values())
    assert not any(quantity.requires_grad for quantity in reported.values())
    assert objective.monitor in reported and not objective.weighs_kl
    if objective.monitor == "reconstruction":
        expected = model.decode(model.encoder(images.x)).log_prob(images.x)
        torch.testing.assert_close(reported["reconstruction"], expected)
    for weight in (0.0, 4.0):  # there is nothing that it weighs
        torch.testing.assert_close(evaluate(objective, model, images, weight), (loss, reported))
    with torch.no_grad():  # as in validation, the penalty too
        torch.testing.assert_close(evaluate(objective, model, images), (loss, reported))


@ROWS
@NETS
def test_gradients(make: Callable[[], SingleObjective], network: Callable[..., Network]) -> None:
    objective, model, images = make(), build(network), batch(3)
    start = [p.detach().clone() for p in model.parameters()]
    generator = torch.Generator().manual_seed(3)
    direction = [
        torch.randn(p.shape, generator=generator, dtype=p.dtype).div(p.numel() ** 0.5)
        for p in start
    ]

    def loss_at(step: float) -> Tensor:
        with torch.no_grad():
            for parameter, p, d in zip(model.parameters(), start, direction, strict=True):
                parameter.copy_(p + step * d)
        return evaluate(objective, model, images)[0]

    gradients = torch.autograd.grad(loss_at(0.0), list(model.parameters()))
    slope = sum((g * d).sum() for g, d in zip(gradients, direction, strict=True))
    with torch.no_grad():
        h = 1e-6
        difference = (loss_at(h) - loss_at(-h)) / (2 * h)
    torch.testing.assert_close(slope, difference, rtol=1e-6, atol=1e-7)


@NETS
@pytest.mark.parametrize("count", [1, 5])
def test_the_jacobian_is_that_of_each_image(network: Callable[..., Network], count: int) -> None:
    model, images = build(network), batch(count)
    _, reported = evaluate(Contractive(), model, images)
    each = torch.stack(
        [jacobian(model.encoder, image).square().sum() for image in images.x.unsqueeze(1)]
    )
    torch.testing.assert_close(reported["squared_jacobian_norm"], each)


@NETS
def test_the_jacobian_agrees_with_finite_differences(network: Callable[..., Network]) -> None:
    model, images, h = build(network), batch(2), 1e-6
    steps = h * torch.eye(SHAPE.numel(), dtype=torch.float64).view(-1, 1, *SHAPE)
    with torch.no_grad():
        slopes = (model.encoder(images.x + steps) - model.encoder(images.x - steps)) / (2 * h)
    x = images.x.clone().requires_grad_()
    rows = encoder_jacobian(model.encoder(x), x, create_graph=False)
    torch.testing.assert_close(rows, slopes.permute(1, 2, 0), rtol=1e-6, atol=1e-8)


@NETS
def test_the_jacobian_of_the_decoder_and_of_both(network: Callable[..., Network]) -> None:
    model, images = build(network), batch(2)
    code = model.encoder(images.x).detach().requires_grad_()
    columns = decoder_jacobian(model.decode(code).mean, code, create_graph=False)
    for image, z, found in zip(images.x, code.detach(), columns, strict=True):
        exact = jacobian(lambda z: model.decode(z.unsqueeze(0)).mean.flatten(), z)
        torch.testing.assert_close(found, exact.T)
        both = jacobian(lambda x: model.decode(model.encoder(x.unsqueeze(0))).mean.flatten(), image)
        alone = Batch(*(t.unsqueeze(0) for t in (image, image, images.y[0], images.index[0])))
        reported = evaluate(Contractive(), model, alone)[1]
        torch.testing.assert_close(reported["image_jacobian_norm"], both.square().sum().view(1))


def test_penalties_of_linear_codes() -> None:
    model, images = build(NETWORKS["linear"]), batch(4)
    w, v = (part.layers[0].weight.detach() for part in (model.encoder, model.decoder))
    norms = {"code": w.square().sum(), "image": (v @ w).square().sum()}
    z = model.encoder(images.x).detach()
    lengths = {"code": z.abs().sum(1).mean(), "image": (z.abs() * v.norm(dim=0)).sum(1).mean()}
    for make, expected in ((Contractive, norms), (Sparse, lengths)):
        for unit, penalty in expected.items():
            loss, reported = evaluate(make(0.5, unit), model, images)
            torch.testing.assert_close(loss, 0.5 * penalty - reported["reconstruction"].mean())


@pytest.mark.parametrize("network", ["linear", "mlp", "relu"])
@pytest.mark.parametrize("make", [Sparse, Contractive])
def test_the_decoder_cannot_undo_the_penalty(make: Callable[..., Objective], network: str) -> None:
    """Each dimension of the code times a number, by which the decoder divides it again."""
    images, losses = batch(20), {"image": [], "code": []}
    for scale in ([1.0, 1.0, 1.0], [1e-3, 1e-3, 1e-3], [0.1, 1.0, 30.0]):
        model, factors = build(NETWORKS[network]), torch.tensor(scale, dtype=torch.float64)
        with torch.no_grad():
            last, first = model.encoder.layers[-1], model.decoder.layers[0]
            last.weight.mul_(factors.unsqueeze(1))
            last.bias.mul_(factors)
            first.weight.div_(factors)
        for unit, found in losses.items():
            found.append(evaluate(make(0.7, unit), model, images)[0].item())
    assert losses["image"] == pytest.approx([losses["image"][0]] * 3, rel=1e-9)
    reconstruction = evaluate(make(0.0), build(NETWORKS[network]), images)[0].item()
    # Of the code as it is, next to nothing is left of the penalty.
    penalties = [loss - reconstruction for loss in losses["code"][:2]]
    assert penalties[0] > 0 and penalties[1] < 2e-3 * penalties[0]


def test_the_gradient_of_the_l1_norm_is_the_sign() -> None:
    model, images = build(), batch(2)
    code = torch.tensor([[2.0, -3.0, 0.0], [-1e-9, 5.0, -7.0]], dtype=torch.float64)
    code.requires_grad_()
    plain, sparse = (
        torch.autograd.grad(_loss_of(Sparse(weight, "code"), model, code, images), code)[0]
        for weight in (0.0, 0.3)
    )
    torch.testing.assert_close(sparse - plain, 0.3 * code.detach().sign() / 2)


def _loss_of(objective: Sparse, model: Autoencoder, code: Tensor, images: Batch) -> Tensor:
    """The loss as a function of codes, which stand in for the encoder's."""
    model.encoder.forward = lambda x, condition=None: code
    return evaluate(objective, model, images)[0]


@pytest.mark.parametrize("corruption", ["gaussian", "masking", "salt_and_pepper"])
def test_denoising_goes_from_spoilt_images_to_clean_ones(corruption: str) -> None:
    objective, model, images = Denoising(corruption, 0.4), build(), batch(4)
    loss, reported = evaluate(objective, model, images)
    torch.manual_seed(2)
    spoilt = objective.corrupt(images.x, 0.4)
    assert (spoilt != images.x).any()
    expected = model.decode(model.encoder(spoilt)).log_prob(images.x)
    torch.testing.assert_close(reported["denoising"], expected.detach())
    torch.testing.assert_close(loss, -expected.mean())
    assert objective(model, images, 1.0)[0] != loss  # drawn anew


@pytest.mark.parametrize(
    ("make", "options", "said"),
    [
        (Sparse, {"sparsity_weight": -1.0}, "sparsity_weight=-1.0"),
        (Sparse, {"unit": "pixel"}, "unit=pixel"),
        (Contractive, {"contraction_weight": "much"}, "contraction_weight=much"),
        (Denoising, {"corruption": "blur"}, "corruption=blur"),
        (Denoising, {"level": 0}, "level=0"),
        (Denoising, {"corruption": "masking", "level": 1.5}, "level=1.5: is a share"),
        (Denoising, {"corruption": "salt_and_pepper", "level": 2}, "level=2: is a share"),
    ],
)
def test_bad_options(make: Callable[..., Objective], options: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidOption, match=f"^{said}"):
        make(**options)


def test_gaussian_noise_may_be_wider_than_1() -> None:
    assert Denoising("gaussian", 3.0).level == 3.0
