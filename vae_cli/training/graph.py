"""The model as a graph."""

import contextlib
import io
import warnings

import torch
from tensorboard.compat.proto.graph_pb2 import GraphDef
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard._pytorch_graph import graph

from vae_cli.data.batch import Batch
from vae_cli.data.split import Split
from vae_cli.model.base import Model


class _ThereAndBack(nn.Module):
    """From images to the means of what is decoded from their codes.

    Args:
        model: The model.
        batch: Some images; all but their values is taken from it.
    """

    def __init__(self, model: Model, batch: Batch) -> None:
        super().__init__()
        self.model, self.batch = model, batch

    def forward(self, x: Tensor) -> Tensor:
        """Means, shaped as ``x``."""
        return self.model.decode(self.model.encode(self.batch._replace(input=x)).rsample()).mean


def write_graph(writer: SummaryWriter, model: Model, split: Split) -> None:
    """Writes the operations from images to their reconstructions, if they can be traced."""
    batch = split.batch(split.spread(2)).to(model.device)
    # torch.jit is deprecated, and that it traces a trace is only half of the point:
    # nothing of that concerns whoever runs a command, nor does a model that can't be traced.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        with contextlib.suppress(RuntimeError), torch.no_grad():
            traced = torch.jit.trace(_ThereAndBack(model, batch), batch.input, check_trace=False)
            nodes, profile = graph(traced, batch.input)
            writer._get_file_writer().add_graph((_unwrapped(nodes), profile))


def _unwrapped(nodes: GraphDef) -> GraphDef:
    """The same graph, opened at the model's parts: constants left out, loose operations boxed."""
    kept = [node for node in nodes.node if node.op != "prim::Constant"]
    names = {node.name: _inner_name(node.name) for node in kept}
    for node in kept:
        inputs = [names[name] for name in node.input if name in names]
        node.name = names[node.name]
        del node.input[:]
        node.input.extend(inputs)
    return GraphDef(node=kept, versions=nodes.versions)


def _inner_name(name: str) -> str:
    """``_ThereAndBack/VAE[model]/MLP[encoder]/...`` without the wrappers."""
    first, *parts = name.split("/")
    if first != _ThereAndBack.__name__:
        return name
    if parts[0].endswith("[model]"):
        parts = parts[1:]
    return "/".join(parts if len(parts) > 1 else ["draws_and_densities", *parts])
