"""Where a model puts the images of a split."""

import torch
from torch import Tensor

from vae_cli.data.split import Split
from vae_cli.distribution.relations import mean
from vae_cli.model.base import Model

BATCH = 500  # images encoded at once


@torch.no_grad()
def codes_of(model: Model, split: Split, index: Tensor) -> Tensor:
    """E_q[z] of some images, ``(N, latent_dim)``: without the label that some models add to z.

    Args:
        model: Which encodes them.
        split: That they are taken from.
        index: Their positions, ``(N,)``.
    """
    codes = [torch.zeros(0, model.latent_dim, device=model.device)]
    for part in index.split(BATCH):
        q = model.encode(split.batch(part).to(model.device))
        codes.append(mean(q)[:, : model.latent_dim])
    return torch.cat(codes)
