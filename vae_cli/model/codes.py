"""Where a model puts images."""

import torch
from torch import Tensor

from vae_cli.data.batch import Batch
from vae_cli.data.dataset import StoredImages
from vae_cli.data.split import Split, Treatment
from vae_cli.distribution.relations import mean
from vae_cli.model.base import Model

BATCH = 500  # images encoded at once


def code_of(model: Model, batch: Batch) -> Tensor:
    """E_q[z] of B images, ``(B, latent_dim)``: without the label that some models add to z."""
    return mean(model.encode(batch))[:, : model.latent_dim]


@torch.no_grad()
def codes_of(model: Model, split: Split, index: Tensor) -> Tensor:
    """E_q[z] of some images of a split, ``(N, latent_dim)``.

    Args:
        model: Which encodes them.
        split: That they are taken from.
        index: Their positions, ``(N,)``.
    """
    codes = [torch.zeros(0, model.latent_dim, device=model.device)]
    for part in index.split(BATCH):
        codes.append(code_of(model, split.batch(part).to(model.device)))
    return torch.cat(codes)


def coded(model: Model, split: Split) -> Split:
    """The images of a split that have a label, their codes in place of pixels.

    Their shape is ``(latent_dim, 1, 1)``.
    """
    index = split.spread_labelled(len(split))
    codes, labels = codes_of(model, split, index), split.images.labels[index]
    images = StoredImages(codes[..., None, None], labels.to(codes.device))
    as_it_is = Treatment("none", dequantize=False, levels=None)
    return Split(split.name, images, as_it_is, split.classes)
