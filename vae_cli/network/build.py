"""Builds encoders and decoders: networks of the package, or any module for one batch dimension."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Size, Tensor, nn

from vae_cli.errors import InvalidOption
from vae_cli.memory import is_overflow
from vae_cli.network.base import Network

BATCH = 6  # inputs of a trial


class Flattened(Network):
    """A network that knows one batch dimension, for any number of them.

    Models put draws before the batch. Those dimensions become one, and come back afterwards.

    Args:
        network: Maps ``(B, *in_shape)`` to ``(B, *out_shape)``, and takes ``(B, condition_dim)``
            besides if it was built with a ``condition_dim``.
        in_shape: Shape of one input.
        out_shape: Shape of one output.
    """

    def __init__(self, network: nn.Module, in_shape: Size, out_shape: Size) -> None:
        super().__init__()
        self.network, self.in_shape, self.out_shape = network, in_shape, out_shape

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """See the base class."""
        batch_shape = x.shape[: x.dim() - len(self.in_shape)]
        if condition is None:
            y = self.network(x.reshape(-1, *self.in_shape))
            return y.reshape(*batch_shape, *self.out_shape)
        batch_shape = torch.broadcast_shapes(batch_shape, condition.shape[:-1])
        x = x.expand(*batch_shape, *self.in_shape).reshape(-1, *self.in_shape)
        width = condition.shape[-1]
        y = self.network(x, condition.expand(*batch_shape, width).reshape(-1, width))
        return y.reshape(*batch_shape, *self.out_shape)


def build_encoder(
    network: Callable[..., nn.Module], shape: Size, features: int, condition_dim: int = 0
) -> Network:
    """Builds a network from examples to vectors, and tries it once if it is not this package's.

    Args:
        network: Builds it from ``in_shape`` and ``out_shape``, and ``condition_dim`` if there is.
        shape: Shape of one example.
        features: How many numbers it gives for each.
        condition_dim: Numbers that join; 0 for none.

    Raises:
        InvalidOption: If it does not map the one shape to the other.
    """
    options = {"condition_dim": condition_dim} if condition_dim else {}
    if options and not _takes_condition(network):
        rule = "takes no condition_dim, which an encoder of this model needs"
        remedy = "Add the argument, or try a model without labels."
        raise InvalidOption("encoder", _name(network), rule, remedy)
    return _build("encoder", network, Size(shape), Size([features]), **options)


def build_decoder(
    network: Callable[..., nn.Module], latent_dim: int, shape: Size, parameters: int
) -> Network:
    """Builds a network from vectors to parameters of examples, and tries it as ``build_encoder``.

    Networks know examples, not their parameters: the output has ``parameters`` times as many
    channels as an image, or numbers as a vector.

    Args:
        network: Builds it from ``in_shape`` and ``out_shape``, and ``is_decoder`` if it takes that.
        latent_dim: Length of the vectors.
        shape: Shape of one example.
        parameters: How many there are of each value.

    Raises:
        InvalidOption: If it does not map the one shape to the other.
    """
    channels, *rest = shape
    is_asked = "is_decoder" in inspect.signature(network).parameters
    options = {"is_decoder": True} if is_asked else {}
    out_shape = Size([parameters * channels, *rest])
    return _build("decoder", network, Size([latent_dim]), out_shape, **options)


def _build(
    side: str, network: Callable[..., nn.Module], in_shape: Size, out_shape: Size, **options: int
) -> Network:
    """Builds the network of a side; the side is part of the name in an ``InvalidOption``."""
    try:
        built = network(in_shape=in_shape, out_shape=out_shape, **options)
        if not isinstance(built, nn.Module):
            raise InvalidOption("", _name(network), "does not build a torch Module", "Try {}=mlp.")
        if type(built).__module__.startswith("vae_cli.") and isinstance(built, Network):
            return built
        leading = Size([2, BATCH // 2] if isinstance(built, Network) else [BATCH])
        width = options.get("condition_dim", 0)
        _try(built, _name(network), leading, in_shape, out_shape, width)
    except InvalidOption as error:
        raise error.within(side) from error
    return built if isinstance(built, Network) else Flattened(built, in_shape, out_shape)


def _try(
    network: nn.Module, name: str, leading: Size, in_shape: Size, out_shape: Size, width: int
) -> None:
    x, expected = torch.zeros(*leading, *in_shape), (*leading, *out_shape)
    conditions = [torch.zeros(*leading, width)] if width else []
    is_training = network.training
    network.eval()  # it neither draws nor gathers statistics
    try:
        with torch.no_grad():
            y = network(x, *conditions)
    except NotImplementedError:
        if not x.is_meta:  # which lacks a few operations; a trial with numbers follows
            raise
        return
    except Exception as error:  # of as many kinds as there are networks
        if is_overflow(error):
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        rule = f"can't map {tuple(x.shape)} to {expected} ({reason})"
        raise InvalidOption("", name, rule, _remedy(in_shape, out_shape)) from error
    finally:
        network.train(is_training)
    found: Any = tuple(y.shape) if isinstance(y, Tensor) else type(y).__name__
    if found != expected:
        rule = f"maps {tuple(x.shape)} to {found} instead of {expected}"
        raise InvalidOption("", name, rule, _remedy(in_shape, out_shape))


def _remedy(in_shape: Size, out_shape: Size) -> str:
    return f"It was built with in_shape={tuple(in_shape)} and out_shape={tuple(out_shape)}."


def _takes_condition(network: Callable[..., nn.Module]) -> bool:
    parameters = inspect.signature(network).parameters.values()
    return any(p.name == "condition_dim" or p.kind is p.VAR_KEYWORD for p in parameters)


def _name(network: Callable[..., nn.Module]) -> str:
    made = network.func if isinstance(network, partial) else network
    return f"{made.__module__}.{made.__qualname__}"
