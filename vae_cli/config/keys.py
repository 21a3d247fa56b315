"""The keys of a command or a group that are not options of what is built."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from vae_cli.options import (
    COUNTABLE,
    Above,
    AtLeast,
    Below,
    Draws,
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
)


@dataclass(frozen=True)
class TrainSettings:
    """The keys at the top of ``train.yaml``."""

    seed: NonNegativeInt
    latent_dim: PositiveInt
    resume: str | None
    run_id: str | int | None
    deterministic: bool
    trust: bool


Image = tuple[PositiveInt, PositiveInt, PositiveInt]  # channels, height and width


@dataclass(frozen=True)
class Derived:
    """What every configuration knows of its data once they are loaded."""

    shape: tuple[PositiveInt] | tuple[PositiveInt, PositiveInt] | Image
    levels: PositiveInt | None
    classes: NonNegativeInt | None  # earlier versions do not record it
    train_images: PositiveInt | None
    labelled_images: NonNegativeInt | None
    steps_per_epoch: PositiveInt
    total_steps: PositiveInt


@dataclass(frozen=True)
class EvalSettings:
    """The keys at the top of ``eval.yaml``."""

    run: str | None
    split: Literal["test", "validation", "train"]
    samples: Draws
    seed: NonNegativeInt
    checkpoint: Literal["best", "last"]
    device: Literal["auto", "cpu", "gpu"]
    data: Mapping[str, str | None]
    mixed: bool
    trust: bool


@dataclass(frozen=True)
class SampleSettings:
    """The keys at the top of ``sample.yaml``."""

    run: str | None
    what: str | None
    format: Literal["png", "svg", "pdf", "npz", "gif"]
    output: str | None
    count: PositiveInt | None
    label: str | int | None
    split: Literal["test", "validation", "train"]
    seed: NonNegativeInt
    checkpoint: Literal["best", "last"]
    device: Literal["auto", "cpu", "gpu"]
    data: Mapping[str, str | None]
    trust: bool


@dataclass(frozen=True)
class FinetuneSettings:
    """The keys at the top of ``finetune.yaml``."""

    run: str | None
    labels: PositiveInt | Literal["all"]
    label_seed: NonNegativeInt
    freeze: bool
    hidden_dims: Sequence[PositiveInt]
    steps: Draws
    batch_size: PositiveInt
    lr: PositiveFloat
    seed: NonNegativeInt
    checkpoint: Literal["best", "last"]
    device: Literal["auto", "cpu", "gpu"]
    data: Mapping[str, str | None]
    trust: bool


@dataclass(frozen=True)
class ExportSettings:
    """The keys at the top of ``export.yaml``."""

    run: str | None
    format: Literal["torch_export", "onnx"] | Sequence[Literal["torch_export", "onnx"]]
    output: str | None
    checkpoint: Literal["best", "last"]
    trust: bool


@dataclass(frozen=True)
class FlowSettings:
    """The keys at the top of ``flow.yaml``."""

    lengths: Sequence[PositiveInt]
    steps: Draws
    restarts: PositiveInt
    samples: PositiveInt
    warmup: Fraction
    lr: PositiveFloat
    seed: NonNegativeInt
    format: Literal["png", "svg", "pdf"]
    output: str


@dataclass(frozen=True)
class ReportSettings:
    """The keys at the top of ``report.yaml``."""

    run: str | None
    output: str | None
    mixed: bool


@dataclass(frozen=True)
class CompareSettings:
    """The keys at the top of ``compare.yaml``."""

    run: str | None
    split: Literal["test", "validation", "train"]
    metrics: Sequence[str]
    where: str | None
    over: Sequence[str]
    mixed: bool
    rank: Literal["validation", "test"]
    format: Literal["terminal", "csv", "markdown", "latex"]
    output: str | None


SETTINGS: dict[str, type] = {
    "train": TrainSettings,
    "eval": EvalSettings,
    "sample": SampleSettings,
    "finetune": FinetuneSettings,
    "export": ExportSettings,
    "flow": FlowSettings,
    "report": ReportSettings,
    "compare": CompareSettings,
}


@dataclass(frozen=True)
class DataSettings:
    """What every dataset has beside its loader's own options."""

    batch_size: PositiveInt | Literal["auto"]
    binarize: Literal["auto", "dynamic", "static", "threshold", "none"]
    dequantize: bool
    encode: Literal["modelled", "grey"] | None
    suggests: Mapping[str, int | Literal["auto"]] | None
    labels: PositiveInt | None
    label_seed: NonNegativeInt | None
    changed: Literal["stop", "accept"] | None  # a run does not keep it


@dataclass(frozen=True)
class OptimizerSettings:
    """What every optimizer has, whatever its own constructor checks."""

    lr: PositiveFloat
    lr_schedule: Mapping[str, Any] | None


Smoothing = Annotated[float, AtLeast(0), Below(1)]


@dataclass(frozen=True)
class TorchSettings:
    """What torch's optimizers and schedules of the learning rate accept and can compute with."""

    betas: tuple[Smoothing, Smoothing]
    alpha: Smoothing
    eps: Annotated[float, Above(0, "Try 1e-8: where a gradient is 0, the step would be 0 / 0.")]
    momentum: NonNegativeFloat
    weight_decay: NonNegativeFloat
    lr_decay: NonNegativeFloat
    initial_accumulator_value: NonNegativeFloat
    T_max: PositiveInt
    eta_min: NonNegativeFloat
    gamma: NonNegativeFloat


Epochs = Annotated[float, Above(0), COUNTABLE]
SHARED: dict[str, type] = {  # by group
    "data": DataSettings,
    "optimizer": OptimizerSettings,
}


def shared_keys(key: str) -> tuple[str, ...]:
    """The keys of a group that are not its constructor's arguments."""
    return tuple(SHARED[key].__annotations__) if key in SHARED else ()
