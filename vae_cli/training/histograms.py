"""How what the means hide is distributed over images."""

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from vae_cli import noise
from vae_cli.data.split import Split
from vae_cli.distribution.relations import kl_per_dimension, log_determinants
from vae_cli.model.base import LatentVariableModel

IMAGES = 500
BINS = 20
TAGS = 50  # dimensions of z, or maps of a flow, with a histogram of their own


@torch.no_grad()
def write_histograms(
    writer: SummaryWriter, model: LatentVariableModel, split: Split, step: int
) -> None:
    """Writes the KL of each dimension and the log-determinants of a flow's maps, in nats.

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
    kl, log_dets = kl_per_dimension(q, model.prior()), log_determinants(q)
    if kl is not None:
        _write(writer, "validation_kl/all_dimensions", kl.mean(0), step)
        for name, values in _numbered("dimension", kl.unbind(1)):
            _write(writer, f"validation_kl/{name}", values, step)
    if log_dets is not None:
        _write(writer, "validation_log_determinant/all_maps", log_dets.sum(0), step)
        for name, values in _numbered("map", log_dets.unbind()):
            _write(writer, f"validation_log_determinant/{name}", values, step)


def _numbered(name: str, parts: tuple[Tensor, ...]) -> list[tuple[str, Tensor]]:
    """The first parts with names that sort by number."""
    width = len(str(len(parts) - 1))
    return [(f"{name}_{i:0{width}}", part) for i, part in enumerate(parts[:TAGS])]


def _write(writer: SummaryWriter, tag: str, values: Tensor, step: int) -> None:
    writer.add_histogram(tag, values.float().cpu().numpy(), step, bins=BINS)
