"""Error, calibration and confusion against plain loops and scikit-learn."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
import torch
from linear_gaussian import LinearGaussian
from sklearn.metrics import confusion_matrix
from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Evaluation, Metric, among, moments, power_sums
from vae_cli.metric.classification import Classification
from vae_cli.metric.confusion import Confusion
from vae_cli.metric.reported import Reported
from vae_cli.model.base import ElboTerms, Model
from vae_cli.model.labelled import LabelledModel
from vae_cli.objective.base import SingleObjective

N, K = 400, 5
GENERATOR = torch.Generator().manual_seed(0)
Y = torch.randint(0, K, (N,), generator=GENERATOR)
LOGITS = 1.5 * torch.randn(N, K, generator=GENERATOR) + 2 * torch.nn.functional.one_hot(Y, K)
KNOWN = torch.rand(N, generator=GENERATOR) < 0.6
SIZES = [90, 90, 90, 90, 40]
NOWHERE = torch.zeros(N, dtype=torch.bool)
ALL = ~NOWHERE
FIRST = torch.arange(N) < 100  # whole batches are without a label


class Told(LabelledModel):
    """A model whose q(y|x) is a table, and that has nothing else."""

    latent_dim, classes = 1, K

    def __init__(self, logits: Tensor = LOGITS) -> None:
        super().__init__()
        self.log_label = logits.log_softmax(-1)

    def classify(self, batch: Batch) -> Tensor:
        return self.log_label[batch.index]

    def encode(self, batch: Batch) -> Distribution:
        return torch.distributions.Normal(0, 1)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Distribution:
        raise NotImplementedError

    def prior(self) -> Distribution:
        raise NotImplementedError

    def terms(
        self, batch: Batch, samples: int, closed_form_kl: bool, q: Distribution | None = None
    ) -> ElboTerms:
        raise NotImplementedError


class Odd(SingleObjective):
    """Reports numbers of which only some images have the second."""

    monitor, partial = "of_all", frozenset({"of_some"})

    def forward(
        self, model: Model, batch: Batch, weight: float
    ) -> tuple[Tensor, dict[str, Tensor]]:
        value = batch.index.double().sin() + 7
        return value.mean(), {
            "of_all": value,
            "of_some": torch.where(batch.y >= 0, value.square(), torch.nan),
        }


def evaluate(metric: Metric, known: Tensor, model: LabelledModel | None = None) -> dict[str, float]:
    evaluation = Evaluation({"it": metric}, 0, "test")
    y, index = torch.where(known, Y, -1), torch.arange(N)
    parts = zip(y.split(SIZES), index.split(SIZES), strict=True)
    for number, (labels, rows) in enumerate(parts):
        x = torch.zeros(len(rows), 1, 1, 1)
        evaluation.add(model or Told(), number, Batch(x, x, labels, rows))
    return evaluation.results([evaluation.state])


@pytest.mark.parametrize("share", [0.01, 0.3, 1.0])
@pytest.mark.parametrize("offset", [0.0, -1e4])
def test_among_is_the_mean_and_variance_of_those(share: float, offset: float) -> None:
    generator = np.random.default_rng(0)
    values = generator.normal(offset, 3, (500, 2))
    mask = np.arange(500) < 500 * share
    generator.shuffle(mask)
    whole = moments(power_sums(torch.from_numpy(values * mask[:, None])), 500)
    having = moments(power_sums(torch.from_numpy(mask)), 500)
    found, chosen = among(whole, having), values[mask]
    assert found.images == mask.sum()
    np.testing.assert_allclose(found.mean, chosen.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.variance, chosen.var(0, ddof=1), rtol=1e-5)


def test_among_one_image() -> None:
    whole = moments(power_sums(torch.tensor([0.0, 5.0, 0.0])), 3)
    having = moments(power_sums(torch.tensor([0.0, 1.0, 0.0])), 3)
    found = among(whole, having)
    assert (found.mean.item(), found.variance.item(), found.images) == (pytest.approx(5), 0, 1)


KNOWNS = pytest.mark.parametrize(
    "known", [KNOWN, ALL, FIRST], ids=["here and there", "all", "the first"]
)


@KNOWNS
def test_reported_over_those_that_have_it(known: Tensor) -> None:
    found = evaluate(Reported(Odd()), known)
    value = np.sin(np.arange(N, dtype=np.float64)) + 7
    some = value[known.numpy()] ** 2
    expected = {
        "of_all": value.mean(),
        "of_all_se": value.std(ddof=1) / N**0.5,
        "of_some": some.mean(),
        "of_some_se": some.std(ddof=1) / len(some) ** 0.5,
    }
    assert found == pytest.approx(expected, rel=1e-9)


def test_reported_of_none() -> None:
    assert evaluate(Reported(Odd()), NOWHERE).keys() == {"of_all", "of_all_se"}


def naive(known: Tensor, bins: int, logits: Tensor) -> dict[str, float]:
    """One image after another."""
    wrong: list[float] = []
    binned: list[list[tuple[float, float]]] = [[] for _ in range(bins)]
    for i in range(N):
        if not known[i]:
            continue
        probability = logits[i].double().softmax(-1)
        best = int(probability.argmax())
        confidence, right = probability[best].item(), float(best == int(Y[i]))
        wrong.append(1 - right)
        binned[min(int(confidence * bins), bins - 1)].append((right, confidence))
    gaps = [abs(np.mean([r for r, _ in b]) - np.mean([c for _, c in b])) for b in binned if b]
    shares = [len(b) / len(wrong) for b in binned if b]
    return {
        "labelled_images": len(wrong),
        "error": float(np.mean(wrong)),
        "error_se": float(np.std(wrong, ddof=1) / len(wrong) ** 0.5),
        "calibration_error": float(np.dot(shares, gaps)),
    }


@KNOWNS
@pytest.mark.parametrize("bins", [1, 4, 15])
def test_classification(known: Tensor, bins: int) -> None:
    found = evaluate(Classification(bins), known)
    # The model's numbers are float32.
    assert found == pytest.approx(naive(known, bins, LOGITS), rel=1e-5, abs=1e-6)
    assert 0.1 < found["error"] < 0.6


def test_certainty_falls_into_the_last_bin() -> None:
    sure = 1e4 * torch.nn.functional.one_hot((Y + (torch.arange(N) < 100)) % K, K).float()
    found = evaluate(Classification(7), ALL, Told(sure))
    assert found["error"] == pytest.approx(0.25)
    assert found["calibration_error"] == pytest.approx(0.25)


@KNOWNS
def test_confusion(known: Tensor) -> None:
    found = evaluate(Confusion(), known)
    table = confusion_matrix(Y[known], LOGITS.argmax(-1)[known], labels=range(K))
    assert found == {
        f"confusion/{true}_as_{taken}": table[true, taken]
        for true in range(K)
        for taken in range(K)
    }
    assert sum(found.values()) == known.sum()
    assert all(isinstance(count, int) for count in found.values())


METRICS: Mapping[str, Callable[[], Metric]] = {
    "classification": Classification, "confusion": Confusion
}  # fmt: skip


@pytest.mark.parametrize("make", METRICS.values(), ids=METRICS)
def test_nothing_where_no_image_has_a_label(make: Callable[[], Metric]) -> None:
    assert evaluate(make(), NOWHERE) == {}


@pytest.mark.parametrize("make", METRICS.values(), ids=METRICS)
def test_models_without_labels_are_refused(make: Callable[[], Metric]) -> None:
    mismatch = make().mismatch(LinearGaussian().vae())
    assert mismatch == "needs a model that predicts labels (m1, m2, m1_m2)"


def test_confusion_of_many_classes_is_left_out() -> None:
    assert evaluate(Confusion(classes=K - 1), ALL) == {}
    assert len(evaluate(Confusion(classes=K), ALL)) == K**2
