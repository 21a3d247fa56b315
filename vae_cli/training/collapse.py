"""Whether z has come to carry nothing, and what to try then."""

import math
from collections.abc import Mapping

from pytorch_lightning import Callback, LightningModule, Trainer
from rich.console import Console

from vae_cli.metric.base import FEW_IMAGES

FEW = 0.1  # of the dimensions of z, fewer than which is called collapse
PATIENCE = 500  # steps after the KL schedule has settled, at least, before anything is said


def collapse_advice(numbers: Mapping[str, float], latent_dim: int, split: str) -> str | None:
    """What to say of a posterior that has collapsed, None where it has not.

    It has where fewer than a tenth of z's dimensions are active; with ten or less, where none is.

    Args:
        numbers: By name, ``active_units``, ``kl`` and perhaps ``images`` among them; without the
            first, or with few images, nobody knows.
        latent_dim: Number of dimensions of z.
        split: Name of the images that were measured.
    """
    active, images = numbers.get(f"{split}/active_units"), numbers.get(f"{split}/images", math.inf)
    if active is None or images < FEW_IMAGES or active >= max(1.0, FEW * latent_dim):
        return None
    kl = numbers.get(f"{split}/kl")
    measured = "" if kl is None else f", KL {kl:.2f} nats"
    return (
        f"posterior collapse: {int(active)} of {latent_dim} dimensions of z are active on the "
        f"{split} images{measured}. Try kl_schedule=linear or a longer warm-up, a smaller weight "
        "(kl_schedule.weight=0.5), a smaller decoder, or more epochs."
    )


class CollapseWarning(Callback):
    """Warns of a collapsed posterior while there is still time, once.

    Not before the KL schedule has settled, and after that neither in the first half of what is left
    nor in the first 500 steps: many a run starts with a posterior that says nothing.

    Args:
        latent_dim: Number of dimensions of z.
        settled_at: Step from which the weight no longer changes.
        total_steps: Steps of the whole run.
        console: Where to.
    """

    def __init__(
        self, latent_dim: int, settled_at: int, total_steps: int, console: Console
    ) -> None:
        self.latent_dim, self.total_steps, self.console = latent_dim, total_steps, console
        self.from_step = settled_at + max(PATIENCE, (total_steps - settled_at) / 2)
        self._has_warned = False

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Looks at the latest numbers."""
        step = trainer.global_step
        if self._has_warned or step < self.from_step or step >= self.total_steps:
            return  # the end of the run says it of the test images
        numbers = {name: float(value) for name, value in trainer.callback_metrics.items()}
        advice = collapse_advice(numbers, self.latent_dim, "validation")
        if advice is not None:
            self._has_warned = True
            self.console.print(
                f"warning: step {step}: {advice}", style="yellow", highlight=False, soft_wrap=True
            )
