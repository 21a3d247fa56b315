"""A classifier on an encoder."""

from collections.abc import Sequence

import torch
from torch import Size, Tensor, nn

from vae_cli.data.batch import Batch
from vae_cli.model.base import Model
from vae_cli.model.codes import code_of
from vae_cli.network.mlp import MLP


class Head(nn.Module):
    r"""The logits of q(y|z) from codes, which stand in place of the images of a batch.

    A fully connected network of :math:`(z - c) / s`. c is the mean of some codes, and s, one number
    for all dimensions, the root of their mean variance: encoders differ in the scale of their
    codes, but dimensions that one does not use stay small.

    Args:
        codes: Of the images to learn from, ``(N, latent_dim)``.
        classes: K.
        hidden_dims: Widths of the hidden layers; none makes it linear.
    """

    centre: Tensor  # (latent_dim,)
    scale: Tensor  # ()

    def __init__(self, codes: Tensor, classes: int, hidden_dims: Sequence[int]) -> None:
        super().__init__()
        centre = codes.mean(0)
        scale = (codes - centre).square().mean().sqrt()
        self.register_buffer("centre", centre)
        self.register_buffer("scale", torch.where(scale > 0, scale, 1.0))
        self.layers = MLP(centre.shape, Size([classes]), hidden_dims).to(codes)

    def forward(self, batch: Batch) -> Tensor:
        """Logits, ``(B, K)``, of codes, ``(B, latent_dim)``."""
        return self.layers((batch.input - self.centre) / self.scale)


class EncoderClassifier(nn.Module):
    """The logits of q(y|x) from the mean of q(z|x), through which the encoder learns.

    All of the encoder does, also what a model of two stages keeps as its first one has left it.

    Args:
        encoder: Of images; changed in place.
        head: Of its codes.
    """

    def __init__(self, encoder: Model, head: Head) -> None:
        super().__init__()
        self.encoder, self.head = encoder.requires_grad_(True), head

    def forward(self, batch: Batch) -> Tensor:
        """Logits, ``(B, K)``, of images."""
        return self.head(batch._replace(input=code_of(self.encoder, batch)))
