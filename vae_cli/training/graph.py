"""The model as a graph."""

import contextlib
import io
import warnings

import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from vae_cli.data.batch import Batch
from vae_cli.data.split import Split
from vae_cli.model.base import LatentVariableModel


class _ThereAndBack(nn.Module):
    """From images to the means of what is decoded from their codes.

    Args:
        model: The model.
        batch: Some images; all but their values is taken from it.
    """

    def __init__(self, model: LatentVariableModel, batch: Batch) -> None:
        super().__init__()
        self.model, self.batch = model, batch

    def forward(self, x: Tensor) -> Tensor:
        """Means, shaped as ``x``."""
        return self.model.decode(self.model.encode(self.batch._replace(input=x)).rsample()).mean


def write_graph(writer: SummaryWriter, model: LatentVariableModel, split: Split) -> None:
    """Writes the operations from images to their reconstructions, if they can be traced.

    Args:
        writer: Of the events.
        model: The model.
        split: Where images are taken from.
    """
    batch = split.batch(split.spread(2)).to(model.device)
    # A trace draws noise, which differs from run to run, and torch.jit is told to be on its way
    # out: neither concerns whoever runs a command, nor does a model that can't be traced.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        with contextlib.suppress(RuntimeError), torch.no_grad():
            writer.add_graph(_ThereAndBack(model, batch), batch.input)
