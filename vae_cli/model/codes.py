"""Where a model puts images."""

import torch
from torch import Tensor

from vae_cli.data.batch import Batch
from vae_cli.data.dataset import StoredImages
from vae_cli.data.split import Split, Treatment
from vae_cli.distribution.relations import MEAN_DRAWS, mean, mean_and_variance
from vae_cli.model.base import Model

BATCH = 500  # images encoded at once


def code_of(model: Model, batch: Batch) -> Tensor:
    """E_q[z] of B images, ``(B, latent_dim)``."""
    return model.latent(mean(model.encode(batch))).z


def codes_of(model: Model, split: Split, index: Tensor) -> Tensor:
    """E_q[z] of some images of a split, ``(N, latent_dim)``.

    Args:
        model: Which encodes them.
        split: That they are taken from.
        index: Their positions, ``(N,)``.
    """
    return codes_and_variances(model, split, index)[0]


@torch.no_grad()
def codes_and_variances(
    model: Model, split: Split, index: Tensor, draws: int = MEAN_DRAWS
) -> tuple[Tensor, Tensor]:
    """E_q[z] of some images and the variance of its error, both ``(N, latent_dim)``.

    Args:
        model, split, index: As of ``codes_of``.
        draws: Of z for each image, where E_q[z] has no formula; the variance is 0 elsewhere.
    """
    size = max(1, BATCH * MEAN_DRAWS // max(draws, MEAN_DRAWS))
    codes = [torch.zeros(0, model.latent_dim, device=model.device)]
    variances = [codes[0]]
    for part in index.split(size):
        found = mean_and_variance(model.encode(split.batch(part).to(model.device)), draws)
        codes.append(model.latent(found[0]).z)
        variances.append(model.latent(found[1]).z)
    return torch.cat(codes), torch.cat(variances)


def coded(model: Model, split: Split) -> Split:
    """The examples of a split that have a label, with their codes in place of values."""
    index = split.spread_labelled(len(split))
    codes, labels = codes_of(model, split, index), split.images.labels[index]
    images = StoredImages(codes, labels.to(codes.device))
    as_it_is = Treatment("none", dequantize=False, levels=None)
    return Split(split.name, images, as_it_is, split.classes)
