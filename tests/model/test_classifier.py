"""A classifier on an encoder: what it sees of codes, and who learns."""

from functools import partial

import pytest
import torch
from torch import Size, Tensor, nn
from torch.nn.functional import cross_entropy

from vae_cli.data.batch import Batch
from vae_cli.data.dataset import StoredImages
from vae_cli.data.split import Split, Treatment
from vae_cli.likelihood.bernoulli import BernoulliLikelihood
from vae_cli.likelihood.gaussian import GaussianLikelihood
from vae_cli.model.base import Model
from vae_cli.model.classifier import EncoderClassifier, Head
from vae_cli.model.codes import code_of, coded, codes_of
from vae_cli.model.m1_m2 import M1M2
from vae_cli.model.m2 import M2
from vae_cli.model.vae import VAE
from vae_cli.network.mlp import MLP
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.posterior.planar import PlanarPosterior
from vae_cli.prior.standard import StandardPrior

N, D, K = 30, 4, 3
SHAPE = Size([1, 3, 2])
GENERATOR = torch.Generator().manual_seed(0)
CODES = torch.randn(N, D, generator=GENERATOR, dtype=torch.float64) * torch.tensor([3.0, 1, 1, 0.1])
LABELS = torch.arange(N) % (K + 1) - 1  # every fourth one unknown
IMAGES = torch.rand(N, *SHAPE, generator=GENERATOR, dtype=torch.float64)
NETWORK = partial(MLP, hidden_dims=[6], activation="tanh")


def batch_of(x: Tensor) -> Batch:
    return Batch(x, x, LABELS[: len(x)].clamp_min(0), torch.arange(len(x)))


def head(codes: Tensor, hidden_dims: tuple[int, ...] = (5,)) -> Head:
    torch.manual_seed(0)
    return Head(codes, K, hidden_dims)


def vae(posterior: partial[PlanarPosterior] | type[DiagonalPosterior]) -> Model:
    torch.manual_seed(0)
    return VAE(SHAPE, D, NETWORK, NETWORK, posterior, StandardPrior, BernoulliLikelihood).double()


def m2() -> Model:
    torch.manual_seed(0)
    parts = (NETWORK, NETWORK, DiagonalPosterior, StandardPrior, BernoulliLikelihood)
    return M2(SHAPE, D, K, *parts).double()


def m1_m2() -> Model:
    first, parts = vae(DiagonalPosterior), (NETWORK, NETWORK, DiagonalPosterior, StandardPrior)
    return M1M2(first, 2, K, *parts, partial(GaussianLikelihood, min_scale=0.3)).double()


MODELS = {  # and the parts that the mean of q(z|x) depends on
    "diagonal": (lambda: vae(DiagonalPosterior), ["encoder."]),
    "planar": (lambda: vae(partial(PlanarPosterior, flow_length=2)), ["encoder."]),
    "m2": (m2, ["encoder.", "classifier."]),
    "two stages": (m1_m2, ["features.encoder.", "m2.encoder.", "m2.classifier."]),
}
EVERY = pytest.mark.parametrize("name", MODELS)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 50.0])
@pytest.mark.parametrize("shift", [0.0, -7.0])
def test_scale_and_place_of_the_codes_do_not_matter(scale: float, shift: float) -> None:
    moved = scale * CODES + shift
    logits = head(moved)(batch_of(moved))
    torch.testing.assert_close(logits, head(CODES)(batch_of(CODES)), rtol=1e-9, atol=1e-9)


def test_dimensions_keep_their_share() -> None:
    with_layers_left_out = head(CODES)
    with_layers_left_out.layers = nn.Identity()  # type: ignore[assignment]
    seen = with_layers_left_out(batch_of(CODES))
    torch.testing.assert_close(seen.mean(0), torch.zeros(D, dtype=torch.float64))
    torch.testing.assert_close(seen.square().mean(), torch.ones((), dtype=torch.float64))
    deviation = CODES.std(0)
    torch.testing.assert_close(seen.std(0) / seen.std(), deviation / (CODES - CODES.mean(0)).std())


def test_codes_that_are_all_alike_are_taken() -> None:
    assert head(torch.ones(N, D))(batch_of(torch.ones(3, D))).isfinite().all()


def test_a_head_without_hidden_layers_is_linear() -> None:
    linear, (a, b) = head(CODES, ()), (CODES[:5], CODES[5:10])
    middle = linear(batch_of((a + b) / 2))
    torch.testing.assert_close(middle, (linear(batch_of(a)) + linear(batch_of(b))) / 2)


@EVERY
def test_gradients_reach_what_the_codes_depend_on(name: str) -> None:
    make, parts = MODELS[name]
    model, batch = make(), batch_of(IMAGES)
    classifier = EncoderClassifier(model, head(codes_of(model, split(), torch.arange(N))))
    torch.manual_seed(0)
    cross_entropy(classifier(batch), batch.y).backward()
    reached = {n for n, p in model.named_parameters() if p.grad is not None and p.grad.abs().sum()}
    expected = {n for n, _ in model.named_parameters() if n.startswith(tuple(parts))}
    assert reached == expected
    assert all(p.grad is not None for p in classifier.head.parameters())


@EVERY
def test_codes_are_means_without_a_label(name: str) -> None:
    model = MODELS[name][0]()
    torch.manual_seed(0)
    codes = code_of(model, batch_of(IMAGES))
    assert codes.shape == (N, model.latent_dim)
    torch.manual_seed(0)
    torch.testing.assert_close(codes_of(model, split(), torch.arange(N)), codes.detach())


def split() -> Split:
    as_they_are = InDouble("none", dequantize=False, levels=None)
    return Split("train", StoredImages(IMAGES, LABELS), as_they_are, "abc")


class InDouble(Treatment):
    """Leaves float64 images what they are."""

    def __call__(self, pixels: Tensor, uniform: Tensor | None) -> Tensor:
        return pixels


def test_coded_split_has_the_labelled_images_alone() -> None:
    model = vae(DiagonalPosterior)
    of_codes = coded(model, split())
    known = (LABELS >= 0).nonzero().flatten()
    assert torch.equal(of_codes.images.labels, LABELS[known])
    found = of_codes.batch(torch.arange(len(known)))
    expected = codes_of(model, split(), known)
    torch.testing.assert_close(found.x.flatten(1), expected.float())
    assert found.x.shape == (len(known), D) and of_codes.class_name(1) == "b"
