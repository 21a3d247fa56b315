"""How what the means hide is distributed over images."""

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from vae_cli import noise
from vae_cli.data.split import Split
from vae_cli.distribution.flow import FlowDistribution
from vae_cli.distribution.relations import kl_per_dimension, mean
from vae_cli.model.base import LatentVariableModel, Model

IMAGES = 500
BINS = 20
TAGS = 50  # dimensions of z with a histogram, at most


@torch.no_grad()
def write_histograms(writer: SummaryWriter, model: Model, split: Split, step: int) -> None:
    """Writes the KL of each dimension, and a flow's log-determinant at one draw an image, in nats.

    Each is a histogram over images; ``validation_kl/all_dimensions`` is one of the dimensions'
    means, and shows how many carry nothing. Of a model without a prior it is the codes themselves.

    Args:
        writer: Of the events.
        model: The model.
        split: Which some images are taken from, spread over it.
        step: Of training.
    """
    batch = split.batch(split.spread(IMAGES)).to(model.device)
    with noise.stream(model.device, "dashboard", "histograms"):
        q = model.encode(batch)
        if isinstance(model, LatentVariableModel):
            kl = kl_per_dimension(q, model.prior())
            if kl is not None:
                _write(writer, "validation_kl/all_dimensions", kl.mean(0), step)
                _write_each(writer, "validation_kl", kl, step)
        else:
            _write_each(writer, "validation_code", mean(q), step)
        if isinstance(q, FlowDistribution):
            log_det = q.flow(q.base.rsample())[1]
            _write(writer, "validation_flow/log_determinant", log_det, step)


def _write_each(writer: SummaryWriter, group: str, values: Tensor, step: int) -> None:
    """A histogram for each of the first dimensions of ``(B, D)``."""
    width = len(str(values.shape[1] - 1))  # so that sorting by name sorts by number
    for d, each in enumerate(values.unbind(1)[:TAGS]):
        _write(writer, f"{group}/dimension_{d:0{width}}", each, step)


def _write(writer: SummaryWriter, tag: str, values: Tensor, step: int) -> None:
    writer.add_histogram(tag, values.float().cpu().numpy(), step, bins=BINS)
