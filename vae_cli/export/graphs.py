"""The deterministic functions of a model, each of which is exported."""

from functools import singledispatch
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent
from torch.nn.functional import one_hot

from vae_cli.data.batch import unlabelled
from vae_cli.distribution.bernoulli import IndependentBernoulli
from vae_cli.distribution.relations import from_noise, mean
from vae_cli.model.base import LatentVariableModel, Model
from vae_cli.model.labelled import SemiSupervisedModel

NAMES = ("encoder", "classifier", "decoder")
EXAMPLES = 2  # of one alone torch would conclude that there is always one

MEANING = {  # of inputs, by name
    "x": "images, treated as those of the run",
    "noise": "draws from N(0, I); zeros give a code without chance",
    "y": "labels, whole numbers from 0",
    "z": "codes",
}
DECODED = {  # what outputs of a decoder mean, by name
    "mean": "mean of p(x|z): of binary images the probability of a 1",
    "logits": "log p/(1-p) of that probability p",
    "scale": "standard deviation of p(x|z), of each value",
}


class Graph(NamedTuple):
    """A function of tensors whose first dimension is the number of images."""

    module: nn.Module
    inputs: dict[str, Tensor]  # two examples of each, by name
    outputs: dict[str, str]  # what each means, by name


class _Code(nn.Module):
    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (mean(self.model.encode(unlabelled(x))),)


class _Draw(nn.Module):
    def __init__(self, model: LatentVariableModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        return from_noise(self.model.encode(unlabelled(x)), noise)


class _LabelledDraw(nn.Module):
    def __init__(self, model: SemiSupervisedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, noise: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        q = self.model.encode(unlabelled(x))
        return from_noise(q.given(one_hot(y, self.model.classes).to(x)), noise)


class _Classify(nn.Module):
    def __init__(self, model: SemiSupervisedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (self.model.classify(unlabelled(x)),)


class _Decode(nn.Module):
    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, z: Tensor, y: Tensor | None = None) -> tuple[Tensor, ...]:
        p = self.model.decode(z, y)
        return (p.mean, *beyond_mean(p).values())


@singledispatch
def beyond_mean(p: Distribution) -> dict[str, Tensor]:
    """What one needs of p(x|z) beside its mean to compute it, by name, each of x's shape."""
    return {}


@beyond_mean.register
def _(p: IndependentBernoulli) -> dict[str, Tensor]:
    return {"logits": p.logits}


@beyond_mean.register
def _(p: Independent) -> dict[str, Tensor]:
    return {"scale": p.base_dist.stddev}


@singledispatch
def graphs_of(model: Model, x: Tensor) -> dict[str, Graph]:
    """The functions of a model, by name."""
    encoder = Graph(_Code(model), {"x": x}, {"z": "the images' codes"})
    return {"encoder": encoder, "decoder": _decoder(model, {"z": _codes(model)})}


@graphs_of.register
def _(model: LatentVariableModel, x: Tensor) -> dict[str, Graph]:
    codes = _codes(model)
    outputs = {"z": "what q(z|x) makes of the noise", "log_q": "log q(z|x) at that z, nats"}
    encoder = Graph(_Draw(model), {"x": x, "noise": codes}, outputs)
    return {"encoder": encoder, "decoder": _decoder(model, {"z": codes})}


@graphs_of.register
def _(model: SemiSupervisedModel, x: Tensor) -> dict[str, Graph]:
    codes, y = _codes(model), torch.arange(EXAMPLES) % model.classes
    outputs = {"z": "what q(z|x,y) makes of the noise", "log_q": "log q(z|x,y) at that z, nats"}
    draw = Graph(_LabelledDraw(model), {"x": x, "noise": codes, "y": y}, outputs)
    classify = Graph(_Classify(model), {"x": x}, {"log_label": "log q(y|x) of each class, nats"})
    decoder = _decoder(model, {"z": codes, "y": y})
    return {"encoder": draw, "classifier": classify, "decoder": decoder}


def _codes(model: Model) -> Tensor:
    return torch.linspace(-1, 1, EXAMPLES * model.latent_dim).view(EXAMPLES, model.latent_dim)


def _decoder(model: Model, inputs: dict[str, Tensor]) -> Graph:
    names = ("mean", *beyond_mean(model.decode(*inputs.values())))
    return Graph(_Decode(model), inputs, {name: DECODED[name] for name in names})
