"""Signatures read from source are those that Python itself tells."""

import inspect
import typing
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hydra.utils import get_object
from yamls import all_targets

from vae_cli.config.signature import signature_of
from vae_cli.options import Foreign

TARGETS = all_targets()
OURS = [target for target in TARGETS if target.startswith("vae_cli.")]
NONSENSE = [
    "", "nope", "nope.Nope", "vae_cli", "vae_cli.nope.Nope", "vae_cli.posterior.planar.Nope",
    "vae_cli.posterior.planar.PlanarPosterior.forward", "torch.optim.Nope", "torch..Adam",
    "posterior.planar", ".Adam",
]  # fmt: skip


def named(parameters: typing.Iterable[inspect.Parameter]) -> list[str]:
    variadic = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [p.name for p in parameters if p.kind not in variadic]


@pytest.mark.parametrize("target", TARGETS)
def test_names_are_those_of_inspect(target: str) -> None:
    signature = signature_of(target)
    assert signature is not None
    assert list(signature.annotations) == named(
        inspect.signature(get_object(target)).parameters.values()
    )


def without_tensors(annotation: Any) -> Any:
    """``float | Tensor`` as it is read: a tensor comes from code, as does what a builder builds."""
    parts = typing.get_args(annotation)
    if typing.get_origin(annotation) is Callable:
        return Callable[..., Any]
    if any(typing.get_origin(part) is Callable for part in parts):
        return Any | Callable[..., Any]
    if torch.Tensor in parts:
        return typing.Union[tuple(Foreign if p is torch.Tensor else p for p in parts)]  # noqa: UP007
    return annotation


@pytest.mark.parametrize("target", OURS)
def test_annotations_are_those_of_get_type_hints(target: str) -> None:
    thing, signature = get_object(target), signature_of(target)
    assert signature is not None
    function = thing.__init__ if isinstance(thing, type) else thing
    hints = typing.get_type_hints(function, include_extras=True)
    for name, annotation in signature.annotations.items():
        if annotation is not Any:
            assert annotation == without_tensors(hints[name]), name


USERS_OPTIONS = [  # what a user sets must not be read as Any: then nothing would check it
    ("vae_cli.posterior.planar.PlanarPosterior", "flow_length"),
    ("vae_cli.posterior.radial.RadialPosterior", "flow_length"),
    ("vae_cli.model.linear_gaussian.LinearGaussian", "noise"),
    ("vae_cli.network.mlp.MLP", "hidden_dims"),
    ("vae_cli.network.mlp.MLP", "activation"),
    ("vae_cli.network.conv.Conv", "channels"),
    ("vae_cli.likelihood.gaussian.GaussianLikelihood", "scale"),
    ("vae_cli.objective.elbo.Elbo", "tempering"),
    ("vae_cli.kl_schedule.linear.LinearSchedule", "warmup_steps"),
    ("vae_cli.data.mnist.load", "root"),
    ("vae_cli.training.options.TrainerOptions", "max_epochs"),
    ("vae_cli.training.options.AcceleratorOptions", "precision"),
    ("torch.optim.Adam", "weight_decay"),
]


@pytest.mark.parametrize(("target", "name"), USERS_OPTIONS)
def test_users_options_are_typed(target: str, name: str) -> None:
    signature = signature_of(target)
    assert signature is not None
    assert signature.annotations[name] is not Any


@pytest.mark.parametrize("target", NONSENSE)
def test_nonsense_is_none(target: str) -> None:
    assert signature_of(target) is None
