"""What a run is made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig

from vae_cli.data.record import Record
from vae_cli.data.split import Split
from vae_cli.figure.base import Figure
from vae_cli.kl_schedule.base import KlSchedule
from vae_cli.metric.base import Metric
from vae_cli.model.base import Model
from vae_cli.objective.base import Objective
from vae_cli.training.options import AcceleratorOptions, TrainerOptions


@dataclass(frozen=True)
class Experiment:
    """Everything a run is made of.

    Attributes:
        config: The configuration, every value concrete.
        record: What the run is to remember of its data.
        notes: What was inferred about the data, a line each.
        inferred: About the user's own data, three lines by name; empty for a published set.
        doubts: Choices that are hardly meant, a line each.
        range_advice: What to do about their range if training fails; empty for nothing.
        kl_schedule: None where the objective weighs no KL.
        monitor: The quantity that the best checkpoint and early stopping follow.
    """

    config: DictConfig
    splits: dict[str, Split]
    record: Record
    notes: Sequence[str]
    inferred: Mapping[str, str]
    doubts: Sequence[str]
    range_advice: str
    model: Model
    objective: Objective
    kl_schedule: KlSchedule | None
    make_optimizer: Callable[..., Any]
    make_lr_schedule: Callable[..., Any] | None
    monitor: str
    metrics: Mapping[str, Metric]
    figures: Mapping[str, Figure]
    trainer: TrainerOptions
    accelerator: AcceleratorOptions
