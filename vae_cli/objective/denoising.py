"""The log-likelihood of images at the codes of spoilt ones."""

from typing import Annotated, Literal

from vae_cli.data.batch import Batch
from vae_cli.data.corruption import CORRUPTIONS
from vae_cli.errors import InvalidOption
from vae_cli.model.autoencoder import Autoencoder
from vae_cli.number import known
from vae_cli.objective.base import Loss, SingleObjective
from vae_cli.options import Above, checked


class Denoising(SingleObjective[Autoencoder]):
    r"""Maximises :math:`\log p(x | f(\tilde x))` for :math:`\tilde x` spoilt anew at each step.

    (Vincent, Larochelle, Bengio & Manzagol 2008, Extracting and composing robust features with
    denoising autoencoders.) A copy of the input no longer does: the model has to know what images
    are like. It is reported as ``denoising``; ``reconstruction``, what the clean image's own code
    gives, is a metric.

    Args:
        corruption: ``gaussian`` adds noise, ``masking`` sets values to 0, ``salt_and_pepper`` to 0
            or 1.
        level: The noise's standard deviation, by default 0.3; the share of the values, by
            default 0.25 for masking and 0.1 for salt_and_pepper.
    """

    monitor = "denoising"
    declares = known("denoising")
    weighs_kl = False

    @checked
    def __init__(
        self,
        corruption: Literal["gaussian", "masking", "salt_and_pepper"] = "masking",
        level: Annotated[float, Above(0)] | None = None,
    ) -> None:
        super().__init__()
        self.corrupt, usual, is_share = CORRUPTIONS[corruption]
        if is_share and level is not None and level > 1:
            rule = f"is a share of the values in {corruption}, and needs a number at most 1"
            raise InvalidOption("level", level, rule, f"Try {{level}}={usual}.")
        self.level = usual if level is None else level

    def forward(self, model: Autoencoder, batch: Batch, weight: float) -> Loss:
        """See the base class."""
        spoilt = batch._replace(input=self.corrupt(batch.input, self.level))
        denoising = model.decode(model.encode(spoilt).mean).log_prob(batch.x)
        return -denoising.mean(), {"denoising": denoising.detach()}
