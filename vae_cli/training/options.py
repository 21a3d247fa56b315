"""What the ``trainer`` and ``accelerator`` groups may say. Plain Python: read before torch is."""

from dataclasses import dataclass
from typing import Literal

from vae_cli.options import NonNegativeInt, PositiveFloat, PositiveInt


@dataclass(frozen=True)
class TrainerOptions:
    """How long to train and what to do on the way.

    Args:
        max_epochs: Passes over the training images; ``auto`` follows their number.
        max_steps: Optimizer steps; where given, they alone count.
        patience: Stop when what is monitored has not improved in so many validations, counted
            from the step at which the KL schedule has settled; None never stops early.
        monitor: What the best checkpoint and ``patience`` follow: the trained ``objective``, at the
            KL weight that its schedule settles at, or the ``elbo``, at weight 1.
        validate_every: Epochs between validations.
        log_every: Steps between points of the training curves, each their average.
        gradient_clip: Largest norm of the gradient; None leaves it.
        on_nan: What to do about a loss or gradient that is NaN or infinite: ``stop`` the run,
            ``skip`` the step, or ``restore`` the last checkpoint and continue with other noise.
        save_every: Steps between checkpoints, beside the one at each validation; None has no such.
        save_minutes: Minutes between checkpoints at most; None likewise.
        compile: Compile the losses with torch.compile: faster steps after up to a minute's wait.
        progress: Show progress.
        fast_dev_run: Five steps of training and two batches of everything else.
    """

    max_epochs: PositiveInt | Literal["auto"] | None
    max_steps: PositiveInt | None
    patience: PositiveInt | None
    monitor: Literal["objective", "elbo"]
    validate_every: PositiveInt
    log_every: PositiveInt
    gradient_clip: PositiveFloat | None
    on_nan: Literal["stop", "skip", "restore"]
    save_every: PositiveInt | None
    save_minutes: PositiveFloat | None
    progress: bool
    fast_dev_run: bool
    compile: bool = False


@dataclass(frozen=True)
class AcceleratorOptions:
    """Where and how a run runs.

    Args:
        kind: Of device; ``auto`` takes a GPU where there is one.
        devices: Number of devices a node, or a list of them.
        strategy: How they share the work.
        nodes: Number of machines.
        precision: Of the networks; densities are always in float32.
        matmul_precision: Of products of float32 matrices in training steps; validation and test
            are always ``highest``.
    """

    kind: Literal["auto", "cpu", "gpu"]
    devices: PositiveInt | list[NonNegativeInt]
    strategy: Literal["auto", "ddp"]
    nodes: PositiveInt
    precision: Literal["32-true", "bf16-mixed", "16-mixed"]
    matmul_precision: Literal["highest", "high", "medium"] = "highest"

    @property
    def processes(self) -> int:
        """Number of processes over all nodes."""
        return self.nodes * (self.devices if isinstance(self.devices, int) else len(self.devices))
