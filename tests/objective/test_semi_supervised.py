"""The loss against the paper's objective, written out (Kingma et al. 2014, arXiv:1406.5298)."""

import math
from itertools import product

import pytest
import torch
from torch import Size, Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.errors import InvalidOption
from vae_cli.likelihood.gaussian import GaussianLikelihood
from vae_cli.model.base import ElboTerms
from vae_cli.model.labelled import ClassTerms, SemiSupervisedModel
from vae_cli.model.m2 import M2
from vae_cli.network.mlp import MLP
from vae_cli.objective.semi_supervised import SemiSupervised
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.prior.standard import StandardPrior

N, K = 6, 3
LABELS = torch.tensor([2, 0, -1, -1, -1, -1])  # of the whole set
LABELLED, UNLABELLED = [0, 1], [2, 3, 4, 5]
SHAPE = Size([1, 2, 3])


class Table(SemiSupervisedModel):
    """Terms that are known for each image of the set, without any noise."""

    latent_dim, classes = 1, K

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        numbers = torch.randn(3, N, K, generator=generator, dtype=torch.float64)
        self.numbers = torch.nn.Parameter(3 * numbers)

    def class_terms(self, batch: Batch, samples: int, closed_form_kl: bool) -> ClassTerms:
        log_likelihood, kl, logits = self.numbers[:, batch.index].unsqueeze(1)
        prior = torch.full((K,), -math.log(K), dtype=torch.float64)
        return ClassTerms(log_likelihood, kl.exp(), logits.log_softmax(-1), prior, kl.exp())

    def terms_of_labels(self, batch: Batch, y: Tensor) -> ElboTerms:
        raise NotImplementedError

    def classify(self, batch: Batch) -> Tensor:
        return self.numbers[2, batch.index].log_softmax(-1)

    def encode(self, batch: Batch) -> Distribution:
        raise NotImplementedError

    def decode(self, z: Tensor, y: Tensor | None = None) -> Distribution:
        raise NotImplementedError

    def prior(self) -> Distribution:
        raise NotImplementedError

    def terms(
        self, batch: Batch, samples: int, closed_form_kl: bool, q: Distribution | None = None
    ) -> ElboTerms:
        raise NotImplementedError


def batch(*images: int) -> Batch:
    index = torch.tensor(images)
    x = torch.zeros(len(index), *SHAPE, dtype=torch.float64)
    return Batch(x, x, LABELS[index], index)


def paper(numbers: Tensor, weight: float = 1.0, alpha: float = 0.1 * N) -> Tensor:
    """J of the whole set: equation 9, the KLs of equations 6 and 7 weighed."""
    log_likelihood, log_kl, logits = numbers
    q = logits.softmax(-1)
    j = torch.zeros((), dtype=torch.float64)
    for i in range(N):
        kl, known = log_kl[i].exp(), int(LABELS[i])
        if known >= 0:
            j = j + log_likelihood[i, known] - math.log(K) - weight * kl[known]
            j = j + alpha * q[i, known].log() / len(LABELLED)
        else:
            for y in range(K):
                j = j + q[i, y] * (log_likelihood[i, y] - weight * kl[y])
                j = j - weight * q[i, y] * (q[i, y].log() + math.log(K))
    return j


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_loss_of_the_whole_set(weight: float) -> None:
    model, objective = Table(), SemiSupervised(len(LABELLED), N)
    loss, _ = objective(model, batch(*range(N)), weight)
    torch.testing.assert_close(loss, -paper(model.numbers, weight) / N)


@pytest.mark.parametrize("classification_weight", [0.0, 0.1, 3.0])
def test_classification_weight_is_alpha_over_n(classification_weight: float) -> None:
    model = Table()
    objective = SemiSupervised(2, N, classification_weight=classification_weight)
    loss, _ = objective(model, batch(*range(N)), 1.0)
    expected = -paper(model.numbers, alpha=classification_weight * N) / N
    torch.testing.assert_close(loss, expected)
    # Of a labelled image, against one bound.
    assert objective.term_weights == {
        "classification_weight": pytest.approx(classification_weight * N / 2)
    }


@pytest.mark.parametrize(("labelled", "unlabelled"), [(1, 1), (1, 3), (2, 1), (2, 4), (1, 4)])
def test_share_of_labelled_images_changes_no_mean(labelled: int, unlabelled: int) -> None:
    """Over all batches that there are of so many of each kind, in value and in gradient."""
    model = Table()
    objective = SemiSupervised(2, N, labelled_fraction=labelled / (labelled + unlabelled))
    kinds = product(LABELLED, repeat=labelled), product(UNLABELLED, repeat=unlabelled)
    batches = [batch(*first, *rest) for first, rest in product(*kinds)]
    losses = torch.stack([objective(model, each, 0.5)[0] for each in batches])
    expected = -paper(model.numbers, 0.5) / N
    torch.testing.assert_close(losses.mean(), expected)
    assert losses.std() > 0.1
    gradients = [torch.autograd.grad(v, model.numbers)[0] for v in (losses.mean(), expected)]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("images", [LABELLED, UNLABELLED], ids=["labelled", "unlabelled"])
def test_batches_of_one_kind(images: list[int]) -> None:
    model, objective = Table(), SemiSupervised(2, N)
    loss, reported = objective(model, batch(*images), 1.0)
    assert loss.isfinite()
    parts = [objective(model, batch(*each), 1.0)[0] for each in (LABELLED, UNLABELLED)]
    whole, _ = objective(model, batch(*range(N)), 1.0)
    torch.testing.assert_close(sum(parts), whole)  # the other kind says nothing
    for name in objective.partial:
        assert reported[name].isnan().all() == (images == UNLABELLED)
    (gradient,) = torch.autograd.grad(loss, model.numbers)
    assert gradient.isfinite().all()
    others = [i for i in range(N) if i not in images]
    assert (gradient[:, others] == 0).all()


def test_reported() -> None:
    model, objective, images = Table(), SemiSupervised(2, N), batch(3, 1, 0, 5)
    _, reported = objective(model, images, 1.0)
    assert all(values.shape == (4,) for values in reported.values())
    unlabelled = images.y < 0
    for name, values in reported.items():
        expected = unlabelled if name in objective.partial else torch.zeros_like(unlabelled)
        assert torch.equal(values.isnan(), expected), name
    assert objective.partial < reported.keys() and objective.monitor in reported
    for weight in (0.0, 0.5):
        _, again = objective(model, images, weight)
        torch.testing.assert_close(again, reported, rtol=0, atol=0, equal_nan=True)
    torch.testing.assert_close(reported["elbo"], reported["reconstruction"] - reported["kl"])
    log_likelihood, kl, logits = model.numbers.detach()
    for row, i in enumerate(images.index.tolist()):
        q, y = logits[i].softmax(-1), int(images.y[row])
        log_q, bound = q.log(), log_likelihood[i] - kl[i].exp() - math.log(K)
        assert reported["elbo"][row] == pytest.approx((q * (bound - log_q)).sum().item())
        assert reported["reconstruction"][row] == pytest.approx(
            (q * log_likelihood[i]).sum().item()
        )
        assert reported["entropy"][row] == pytest.approx(-(q * log_q).sum().item())
        if y >= 0:
            assert reported["labelled_elbo"][row] == pytest.approx(bound[y].item())
            assert reported["label_log_likelihood"][row] == pytest.approx(log_q[y].item())


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_gradients(samples: int, weight: float) -> None:
    torch.manual_seed(0)

    def network(in_shape: Size, out_shape: Size, condition_dim: int = 0) -> MLP:
        return MLP(in_shape, out_shape, [5], "tanh", condition_dim)

    model = M2(
        SHAPE, 2, K, network, network, DiagonalPosterior, StandardPrior, GaussianLikelihood
    ).double()  # fmt: skip
    objective = SemiSupervised(2, N, samples=samples)
    names = [name for name, _ in model.named_parameters()]
    x = torch.randn(4, *SHAPE, dtype=torch.float64)
    images = Batch(x, x, torch.tensor([1, 2, -1, -1]), torch.arange(4))

    def loss(*weights: Tensor) -> Tensor:
        torch.manual_seed(2)
        weighted = dict(zip(names, weights, strict=True))
        return torch.func.functional_call(
            _Loss(model, objective),
            {f"model.{n}": w for n, w in weighted.items()},
            (images, weight),
        )

    start = tuple(p.detach().clone().requires_grad_() for p in model.parameters())
    assert torch.autograd.gradcheck(loss, start, fast_mode=True)


class _Loss(torch.nn.Module):
    def __init__(self, model: M2, objective: SemiSupervised) -> None:
        super().__init__()
        self.model, self.objective = model, objective

    def forward(self, images: Batch, weight: float) -> Tensor:
        return self.objective(self.model, images, weight)[0]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("samples", 0), ("closed_form_kl", "yes"), ("classification_weight", -1),
        ("classification_weight", math.nan), ("labelled_fraction", 1.5), ("labelled_images", 0),
        ("train_images", 0),
    ],
)  # fmt: skip
def test_bad_options(option: str, value: object) -> None:
    options = {"labelled_images": 2, "train_images": N, option: value}
    with pytest.raises(InvalidOption, match=f"^{option}="):
        SemiSupervised(**options)
