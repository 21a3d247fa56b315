"""A trained model for whoever programs: plain arrays or tensors in, and the same out."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, overload

import numpy as np
import torch
from omegaconf import DictConfig
from torch import Size, Tensor

from vae_cli import noise
from vae_cli.data.batch import unlabelled
from vae_cli.distribution.latent import Latent
from vae_cli.distribution.relations import mean
from vae_cli.errors import InvalidOption, VaeCliError
from vae_cli.evaluation.arrays import Array, Labels, examples, labels, like, numbers
from vae_cli.model.base import LatentVariableModel, Model
from vae_cli.model.importance import evidence_estimate
from vae_cli.model.labelled import LabelledModel, SemiSupervisedModel
from vae_cli.options import Draws, NonNegativeInt, PositiveInt, checked
from vae_cli.run.checkpoint import checkpoint_of, load_model
from vae_cli.run.folder import RunFolder

ROWS = 100  # images or codes that go through the model at once; part of what fixes the noise


class TrainedModel:
    """A trained model as functions of arrays.

    Of numpy arrays come numpy arrays, of tensors come tensors on the same device; never with
    gradients. Examples have the shape ``(N, *shape)``, or ``shape`` for a single one; then
    N is missing in what comes back, too. Their values are what the run modelled: grey values from
    0 to 1, or zeros and ones where it binarized. Codes have the shape ``(N, latent_dim)``, labels
    ``(N,)``, or one for all; all numbers are float32 but log-likelihoods, which are float64.

    Noise depends on ``seed`` and on the position among the images alone: the same call gives the
    same numbers, and leaves torch's own generator as it was.

    Attributes:
        model: The module itself, for what is not offered here: its distributions, its gradients.
        config: The run's configuration, every value concrete.
        shape: Of one example, ``(C, H, W)`` or ``(D,)``.
        latent_dim: Number of dimensions of z.
    """

    def __init__(self, model: Model, config: DictConfig) -> None:
        self.model, self.config = model, config
        self.shape, self.latent_dim = Size(config.derived.shape), model.latent_dim

    @checked
    def encode(self, x: Array, seed: NonNegativeInt = 0) -> Array:
        """E_q[z] of images, ``(N, latent_dim)``; of a flow the average of 16 fixed draws.

        Raises:
            VaeCliError: If the images are none of the model's.
        """
        codes = self._each(examples(self.config, x), self._code, "encode", seed)
        return like(x, self.model.latent(codes).z, x.shape[: x.ndim - len(self.shape)])

    @checked
    def decode(self, z: Array, y: Labels | None = None) -> Array:
        """The mean of p(x|z), ``(N, *shape)``: for binary images the probability of a 1.

        Args:
            z: Codes, ``(N, latent_dim)``, or ``(latent_dim,)`` for one image.
            y: Labels, where x depends on them, as in M2.

        Raises:
            VaeCliError: If codes or labels are none of the model's.
        """
        codes = numbers("z", z)
        if codes.shape[-1:] != (self.latent_dim,) or codes.dim() > 2 or not len(codes):
            raise VaeCliError(
                f"z: has shape {tuple(codes.shape)}, and a code {(self.latent_dim,)}. "
                f"Try (N, {self.latent_dim})."
            )
        rows = self._labelled(codes.view(-1, self.latent_dim), y)
        return like(z, self._each(rows, self._mean, "decode", 0), codes.shape[:-1])

    @overload
    def sample(self, n: int, y: int | np.ndarray | None = None, seed: int = 0) -> np.ndarray: ...
    @overload
    def sample(self, n: int, y: Tensor, seed: int = 0) -> Tensor: ...
    @checked
    def sample(
        self,
        n: PositiveInt,
        y: Labels | None = None,
        seed: NonNegativeInt = 0,
    ) -> np.ndarray | Tensor:
        """Means of p(x|z) for z from the prior, ``(n, *shape)``: a tensor where labels are one.

        Args:
            n: How many.
            y: Labels, where x depends on them; without, they are drawn, too.
            seed: Of the draws: the same seed, the same images.

        Raises:
            VaeCliError: If the model has no prior, or no such labels.
        """
        prior = self._with_prior("sample").prior()
        with torch.no_grad(), noise.stream(self.model.device, "library", "sample", seed):
            z = prior.sample(Size([n]))
        rows = z if y is None else self._labelled(self.model.latent(z).z, y)
        images = self._each(rows, self._mean, "decode", 0)
        return images.to(y.device) if isinstance(y, Tensor) else images.cpu().numpy()

    @checked
    def reconstruct(self, x: Array, seed: NonNegativeInt = 0) -> Array:
        """The mean of p(x|z) at z = E_q[z], of the shape of x.

        Raises:
            VaeCliError: If the images are none of the model's.
        """
        images = examples(self.config, x)
        found = self._each(images, lambda part: self._mean(self._code(part)), "encode", seed)
        return like(x, found, x.shape[: x.ndim - len(self.shape)])

    @checked
    def log_likelihood(self, x: Array, samples: Draws = 200, seed: NonNegativeInt = 0) -> Array:
        """log p(x) of each image, nats, ``(N,)``, float64, by importance sampling.

        Args:
            x: Images that the likelihood can give: zeros and ones where it is one of binary values.
            samples: S draws of z an image, from q(z|x) and around the posterior's mode: a lower
                bound in expectation, which tightens as S grows.
            seed: Of the draws.

        Raises:
            VaeCliError: If the model has no prior, or the images are none of its likelihood's.
        """
        model = self._with_prior("log_likelihood")

        def estimate(part: Tensor) -> Tensor:
            batch = unlabelled(part)
            q = model.encode(batch)
            support = model.decode(mean(q)).support
            if support is not None and not support.check(part).all():
                raise VaeCliError(
                    "x: has values that the likelihood excludes; a likelihood of binary values "
                    "takes 0 and 1. Try x > 0.5, or 1 with the value as probability: "
                    "numpy.random.random(x.shape) < x."
                )
            return evidence_estimate(model, batch, q, samples).log_likelihood

        found = self._each(examples(self.config, x), estimate, "log_likelihood", seed)
        return like(x, found, x.shape[: x.ndim - len(self.shape)])

    @checked
    def classify(self, x: Array, seed: NonNegativeInt = 0) -> Array:
        """q(y|x), probabilities of each class, ``(N, K)``.

        Raises:
            VaeCliError: If the model does not tell labels, or the images are none of its.
        """
        model = self.model
        if not isinstance(model, LabelledModel):
            raise VaeCliError(f"classify: {_name(model)} predicts no labels. Try model=m2.")
        if not model.is_fitted:
            raise VaeCliError(
                f"classify: the classifier of {_name(model)} is fitted to training images, which "
                "are not loaded. Try vae-eval, or a classifier of your own on encode(x)."
            )
        found = self._each(
            examples(self.config, x),
            lambda part: model.classify(unlabelled(part)).exp(),
            "classify",
            seed,
        )
        return like(x, found, x.shape[: x.ndim - len(self.shape)])

    def _code(self, x: Tensor) -> Tensor:
        """What ``decode`` of the model takes: with the probabilities of labels behind, if any."""
        return mean(self.model.encode(unlabelled(x)))

    def _mean(self, z: Tensor) -> Tensor:
        return self.model.decode(z).mean

    def _each(
        self, rows: Tensor, function: Callable[[Tensor], Tensor], what: str, seed: int
    ) -> Tensor:
        """A function of images or codes, of a few at a time, on the model's device."""
        device, found = self.model.device, []
        for number, part in enumerate(rows.split(ROWS)):
            with torch.no_grad(), noise.stream(device, "library", what, seed, number):
                found.append(function(part.to(device)))
        return torch.cat(found)

    def _labelled(self, z: Tensor, y: Labels | None) -> Tensor:
        """The events of codes ``(N, latent_dim)`` and their labels, where x depends on them."""
        model = self.model
        if not isinstance(model, SemiSupervisedModel):
            if y is not None:
                raise VaeCliError(f"y: the images of {_name(model)} have no label. Leave it out.")
            return z
        if y is None:
            raise VaeCliError(
                f"y: the images of {_name(model)} depend on it. Try a label, y=3, or one for each."
            )
        known = labels(y, len(z), model.classes)
        return Latent.with_label(z, known.to(z.device), model.classes).event

    def _with_prior(self, what: str) -> LatentVariableModel:
        if not isinstance(self.model, LatentVariableModel):
            raise VaeCliError(
                f"{what}: {_name(self.model)} has no prior, so it has no samples and no p(x). "
                "Try a run of model=vae."
            )
        return self.model


@checked
def load(
    run: str | Path,
    checkpoint: Literal["best", "last"] = "best",
    device: str | torch.device = "cpu",
    trust: bool = False,
) -> TrainedModel:
    """The trained model of a run, from its folder alone: the data need not be there.

    Args:
        run: The run's folder, ``outputs/digits_vae/2026-11-20_09-00-00``.
        checkpoint: The one of the best validation bound, or the last one.
        device: Where the model computes, as torch names it.
        trust: Whether the run's configuration may name modules that are not of this package.

    Raises:
        VaeCliError: If there is no such run, checkpoint or device, or if the configuration would
            build anything but this package's modules and torch.nn's.
    """
    folder = RunFolder.existing(str(run), key="run")
    model, config = load_model(checkpoint_of(folder, checkpoint), trust)
    try:
        model = model.to(device)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it has CUDA
        raise InvalidOption(
            "device", device, "torch has no such device here", "Try cpu."
        ) from error
    return TrainedModel(model.eval(), config)


def _name(model: Model) -> str:
    return type(model).__name__
