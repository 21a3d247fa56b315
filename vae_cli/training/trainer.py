"""The Lightning trainer of a run."""

import os
from collections.abc import Sequence
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import Logger

from vae_cli.errors import InvalidOption
from vae_cli.training.checkpoint_file import DurableCheckpointIO
from vae_cli.training.options import AcceleratorOptions
from vae_cli.training.ranks import RankStrategy
from vae_cli.training.signals import Signals


def check_accelerator(options: AcceleratorOptions) -> None:
    """Raises InvalidOption where this machine can't do what is asked for."""
    gpus, devices = torch.cuda.device_count(), options.devices
    on_cpu = options.kind == "cpu" or (options.kind == "auto" and gpus == 0)
    if isinstance(devices, list) and (on_cpu or len(set(devices)) < max(len(devices), 1)):
        rule = "the CPU takes a number of processes" if on_cpu else "needs different GPUs"
        raise InvalidOption("devices", devices, rule, "Try {devices}=1.")
    wanted = devices if isinstance(devices, int) else max(devices) + 1
    if options.kind == "gpu" and gpus == 0:
        remedy = "Try {}=cpu."
        raise InvalidOption("kind", "gpu", "torch sees no GPU here", remedy)
    if not on_cpu and wanted > gpus:
        rule = f"torch sees {gpus} GPU(s) here"
        raise InvalidOption("devices", options.devices, rule, f"Try {gpus}.")
    if options.precision == "16-mixed" and on_cpu:
        remedy = "Try {precision}=bf16-mixed."
        raise InvalidOption("precision", "16-mixed", "needs a GPU", remedy)


class _LoggerLast(Callback):
    """Gives the trainer its logger when training starts: before, Lightning opens its files.

    Args:
        logger: Of the curves.
    """

    def __init__(self, logger: Logger) -> None:
        self.logger = logger

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Before all others."""
        trainer.logger = self.logger


def make_trainer(
    accelerator: AcceleratorOptions,
    deterministic: bool,
    logger: Logger | None,
    callbacks: Sequence[Callback],
    signals: Signals,
    players: int = 1,
) -> Trainer:
    """A trainer that ends when the module says so; Lightning knows no number of steps or epochs.

    Args:
        accelerator: Where and how it runs.
        deterministic: Only operations that repeat bit for bit.
        logger: Of the curves, or None.
        callbacks: In the order in which they are called.
        signals: What asks the run to stop.
        players: Of the objective.
    """
    # Lightning sets this on import; torch's optimizers then load NVML anew at every step.
    os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)
    # Unsetting what is not set would load torch's compiler, which takes a second.
    unset = False if torch.are_deterministic_algorithms_enabled() else None
    strategy: Any = accelerator.strategy
    if accelerator.processes > 1:
        # Evaluation batches are shared out whole, so one rank may have more of them than
        # another: no buffer may be broadcast in a forward pass. None ever changes.
        strategy = RankStrategy(
            signals, broadcast_buffers=False, gradient_as_bucket_view=True,
            find_unused_parameters=players > 1,  # a loss has no gradient for the other players
        )  # fmt: skip
    return Trainer(
        accelerator=accelerator.kind,
        devices=accelerator.devices,
        num_nodes=accelerator.nodes,
        strategy=strategy,
        precision=accelerator.precision,
        max_epochs=-1,
        max_steps=-1,
        val_check_interval=1,  # a training step of the module goes up to the next validation
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        inference_mode=False,  # only without gradients: an objective may be about a derivative
        deterministic=deterministic or unset,
        benchmark=not deterministic,
        logger=False,
        callbacks=[_LoggerLast(logger), *callbacks] if logger else list(callbacks),
        plugins=[DurableCheckpointIO()],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
