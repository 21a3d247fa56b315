"""How what the means hide is distributed over images."""

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from vae_cli import noise
from vae_cli.data.split import Split
from vae_cli.distribution.flow import FlowDistribution
from vae_cli.distribution.relations import kl_per_dimension
from vae_cli.model.base import LatentVariableModel

IMAGES = 500
BINS = 20
TAGS = 50  # dimensions of z with a histogram of their own, at most


@torch.no_grad()
def write_histograms(
    writer: SummaryWriter, model: LatentVariableModel, split: Split, step: int
) -> None:
    """Writes the KL of each dimension, and a flow's log-determinant at one draw an image, in nats.

    Each is a histogram over images; ``validation_kl/all_dimensions`` is one of the dimensions'
    means, and shows how many carry nothing.

    Args:
        writer: Of the events.
        model: The model.
        split: Which some images are taken from, spread over it.
        step: Of training.
    """
    batch = split.batch(split.spread(IMAGES)).to(model.device)
    noise.seed_draws(model.device, "dashboard", "histograms")
    q = model.encode(batch)
    kl = kl_per_dimension(q, model.prior())
    if kl is not None:
        _write(writer, "validation_kl/all_dimensions", kl.mean(0), step)
        width = len(str(kl.shape[1] - 1))  # so that sorting by name sorts by number
        for d, values in enumerate(kl.unbind(1)[:TAGS]):
            _write(writer, f"validation_kl/dimension_{d:0{width}}", values, step)
    if isinstance(q, FlowDistribution):
        log_det = q.flow(q.base.rsample())[1]
        _write(writer, "validation_flow/log_determinant", log_det, step)


def _write(writer: SummaryWriter, tag: str, values: Tensor, step: int) -> None:
    writer.add_histogram(tag, values.float().cpu().numpy(), step, bins=BINS)
