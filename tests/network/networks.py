"""The table of networks: a new one adds a row, and every property is checked on it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Size

from vae_cli.network.base import Network
from vae_cli.network.conv import Conv
from vae_cli.network.gated_conv import GatedConv
from vae_cli.network.mlp import MLP

VECTOR = Size([5])


@dataclass(frozen=True)
class Case:
    """A network and its options."""

    name: str
    make: Callable[..., Network]
    options: Mapping[str, Any] = field(default_factory=dict)


NETWORKS = [
    Case("mlp", MLP, {"hidden_dims": [20, 30]}),
    Case("linear", MLP, {"hidden_dims": []}),
    Case("deep mlp", MLP, {"hidden_dims": [9, 8, 7], "activation": ["relu", "tanh", "elu"]}),
    Case("mlp softplus", MLP, {"hidden_dims": [9], "activation": "softplus"}),
    Case("mlp identity", MLP, {"hidden_dims": [9], "activation": ["identity"]}),
    Case("conv", Conv, {"channels": [4, 6, 8], "hidden_dim": 10}),
    Case("conv tanh", Conv, {"channels": [4, 6], "hidden_dim": 10, "activation": "tanh"}),
    Case("conv of one stage", Conv, {"channels": [4], "hidden_dim": 10, "activation": "elu"}),
    Case("deep conv", Conv, {"channels": [2, 3, 4, 5, 6, 7], "hidden_dim": 9, "activation": "elu"}),
    Case("gated conv", GatedConv, {"channels": [4, 6, 8], "strides": [1, 2, 2], "hidden_dim": 10}),
    Case(
        "gated conv of stride 3",
        GatedConv,
        {"channels": [4, 5], "strides": [3, 1], "decoder_channels": [6, 5, 4]},
    ),
]


def build(case: Case, in_shape: Size, out_shape: Size) -> Network:
    torch.manual_seed(0)
    return case.make(in_shape=in_shape, out_shape=out_shape, **case.options)
