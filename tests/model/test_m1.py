"""A classifier on features: fitted to those with labels, and what it says of images."""

from functools import partial

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Size

from vae_cli.data.dataset import StoredImages
from vae_cli.data.split import Split, Treatment
from vae_cli.errors import InvalidOption, Notice
from vae_cli.likelihood.bernoulli import BernoulliLikelihood
from vae_cli.model.codes import codes_of
from vae_cli.model.fitting import fit_quietly
from vae_cli.model.labelled import fit_classifier
from vae_cli.model.m1 import CLASSIFIERS, M1
from vae_cli.model.vae import VAE
from vae_cli.network.mlp import MLP
from vae_cli.posterior.diagonal import DiagonalPosterior
from vae_cli.prior.standard import StandardPrior

SHAPE = Size([1, 4, 4])
ROWS = pytest.mark.parametrize("classifier", CLASSIFIERS)
CLASSES = pytest.mark.parametrize("classes", [2, 4])


def build(classifier: str, classes: int) -> M1:
    torch.manual_seed(0)
    network = partial(MLP, hidden_dims=[8], activation="tanh")
    vae = VAE(SHAPE, 6, network, network, DiagonalPosterior, StandardPrior, BernoulliLikelihood)
    return M1(vae, classes, classifier).eval()


def split(classes: int, known: int = 12) -> Split:
    """Images of which each class lights its own row, a few of them with labels."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(40 * classes) % classes
    light = torch.full((len(y), *SHAPE), 0.1)
    light[torch.arange(len(y)), 0, y] = 0.9
    x = (torch.rand(light.shape, generator=generator) < light).byte()
    labels = torch.where(torch.arange(len(y)) < known * classes, y, -1)
    return Split("train", StoredImages(x, labels), Treatment("none", False, 2))


@ROWS
def test_all_codes_may_have_labels(classifier: str) -> None:
    model, train = build(classifier, 2), split(2, known=40)
    fit_classifier(model, train)  # without a warning
    assert model.is_fitted


def test_an_optimizer_that_stops_early_is_reported_once() -> None:
    codes, labels = np.random.default_rng(0).normal(size=(50, 3)), np.arange(50) % 2
    with pytest.warns(Notice, match=r"^LogisticRegression has not converged on 50 codes") as said:
        fit_quietly(LogisticRegression(max_iter=1, C=1e6), codes, labels)
    assert len(said) == 1


@ROWS
@CLASSES
def test_log_probabilities(classifier: str, classes: int) -> None:
    model, train = build(classifier, classes), split(classes)
    assert not model.is_fitted
    fit_classifier(model, train)
    assert model.is_fitted
    batch = train.batch(torch.arange(40 * classes))
    log_label = model.classify(batch)
    assert log_label.shape == (40 * classes, classes)
    torch.testing.assert_close(log_label.exp().sum(-1), torch.ones(40 * classes))
    truth = torch.arange(40 * classes) % classes
    assert (log_label.argmax(-1) == truth).float().mean() > 0.8
    assert model.fitted is not None
    codes = codes_of(model, train, torch.arange(40 * classes)).double().numpy()
    assert (model.fitted.predict(codes) == log_label.argmax(-1).numpy()).mean() > 0.98  # but ties


@CLASSES
def test_logistic_regression_is_scikit_learns(classes: int) -> None:
    model, train = build("logistic", classes), split(classes)
    fit_classifier(model, train)
    known = train.images.labels >= 0
    codes = codes_of(model, train, torch.arange(len(train))).double().numpy()
    expected = LogisticRegression(max_iter=2000).fit(
        codes[known.numpy()], train.images.labels[known].numpy()
    )
    found = model.classify(train.batch(torch.arange(len(train)))).exp()
    np.testing.assert_allclose(found.numpy(), expected.predict_proba(codes), atol=1e-5)


def test_self_training_learns_from_images_without_labels() -> None:
    alone, more = build("logistic", 4), build("self_training", 4)
    for model in (alone, more):
        with torch.no_grad():  # far apart, for it to be sure of some
            model.features.get_submodule("encoder.layers.2").weight.mul_(20)
        fit_classifier(model, split(4, known=3))
    batch = split(4).batch(torch.arange(160))
    assert not torch.equal(alone.classify(batch), more.classify(batch))


def test_all_else_is_the_features() -> None:
    model = build("svm", 4)
    batch = split(4).batch(torch.arange(5))
    torch.manual_seed(0)
    ours = model.terms(batch, 2, True)
    torch.manual_seed(0)
    for mine, theirs in zip(ours, model.features.terms(batch, 2, True), strict=True):
        assert torch.equal(mine, theirs)
    z = torch.randn(3, 6)
    assert torch.equal(model.decode(z).mean, model.features.decode(z).mean)
    assert model.prior().event_shape == (6,)


@ROWS
def test_one_class_is_refused_unless_it_will_do(classifier: str) -> None:
    """What the table says, and what is true of scikit-learn's."""
    codes, labels = np.eye(6), np.zeros(6, int)
    labels[5] = -CLASSIFIERS[classifier].uses_unlabelled
    try:
        CLASSIFIERS[classifier].make(len(codes)).fit(codes, labels)
    except ValueError:
        with pytest.raises(InvalidOption, match=f"^classifier={classifier}: needs images of two"):
            build(classifier, 1)
    else:
        assert build(classifier, 1).classes == 1
