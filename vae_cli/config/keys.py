"""The keys of a command or a group that are not options of what is built."""

from collections.abc import Mapping, Sequence
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

Keys = Mapping[str, Any]  # annotations, by key
SplitName = Literal["test", "validation", "train"]
ExportFormat = Literal["torch_export", "onnx"]
PictureFormat = Literal["png", "svg", "pdf"]
Epochs = Annotated[float, Above(0), COUNTABLE]
Smoothing = Annotated[float, AtLeast(0), Below(1)]
OF_A_RUN: Keys = {"run": str | None, "checkpoint": Literal["best", "last"], "trust": bool}
WITH_DATA: Keys = {
    **OF_A_RUN, "device": Literal["auto", "cpu", "gpu"], "data": Mapping[str, str | None],
    "seed": NonNegativeInt,
}  # fmt: skip
SETTINGS: Mapping[str, Keys] = {  # at the top of each command's yaml
    "train": {
        "seed": NonNegativeInt, "latent_dim": PositiveInt, "resume": str | None,
        "run_id": str | int | None, "deterministic": bool, "trust": bool,
    },
    "eval": {**WITH_DATA, "split": SplitName, "samples": Draws, "mixed": bool},
    "sample": {
        **WITH_DATA, "what": str | None, "format": Literal["png", "svg", "pdf", "npz", "gif"],
        "output": str | None, "count": PositiveInt | None, "label": str | int | None,
        "split": SplitName,
    },
    "finetune": {
        **WITH_DATA, "labels": PositiveInt | Literal["all"], "label_seed": NonNegativeInt,
        "freeze": bool, "hidden_dims": Sequence[PositiveInt], "steps": Draws,
        "batch_size": PositiveInt, "lr": PositiveFloat,
    },
    "export": {**OF_A_RUN, "format": ExportFormat | Sequence[ExportFormat], "output": str | None},
    "flow": {
        "lengths": Sequence[PositiveInt], "steps": Draws, "restarts": PositiveInt,
        "samples": PositiveInt, "warmup": Fraction, "lr": PositiveFloat, "seed": NonNegativeInt,
        "format": PictureFormat, "output": str,
    },
    "report": {"run": str | None, "output": str | None, "mixed": bool},
    "compare": {
        "run": str | None, "split": SplitName, "metrics": Sequence[str], "where": str | None,
        "over": Sequence[str], "mixed": bool, "rank": Literal["validation", "test"],
        "format": Literal["terminal", "csv", "markdown", "latex"], "output": str | None,
    },
}  # fmt: skip
SHORT_KEYS = {  # of vae-sample, each with the key of a picture that it stands for
    "draw": "figure.samples.draw",
    "from": "figure.interpolations.start",
    "to": "figure.interpolations.end",
}
DERIVED: Keys = {  # what every configuration knows of its data once they are loaded
    "shape": tuple[PositiveInt] | tuple[PositiveInt, PositiveInt]
    | tuple[PositiveInt, PositiveInt, PositiveInt],
    "levels": PositiveInt | None,
    "classes": NonNegativeInt | None,  # earlier versions do not record it, nor what follows
    "train_images": PositiveInt | None,
    "labelled_images": NonNegativeInt | None,
    "steps_per_epoch": PositiveInt,
    "total_steps": PositiveInt,
}  # fmt: skip
SHARED: Mapping[str, Keys] = {  # by all options of a group, beside those of their constructors
    "data": {
        "batch_size": PositiveInt | Literal["auto"],
        "binarize": Literal["auto", "dynamic", "static", "threshold", "none"],
        "dequantize": bool,
        "encode": Literal["modelled", "grey"] | None,
        "suggests": Mapping[str, int | Literal["auto"]] | None,
        "labels": PositiveInt | None,
        "label_seed": NonNegativeInt | None,
        "changed": Literal["stop", "accept"] | None,  # a run does not keep it
    },
    "optimizer": {"lr": PositiveFloat, "lr_schedule": Mapping[str, Any] | None},
}
TORCH: Keys = {  # what torch's optimizers and learning-rate schedules can compute with
    **dict.fromkeys(("momentum", "weight_decay", "lr_decay", "eta_min", "gamma",
                     "initial_accumulator_value"), NonNegativeFloat),
    "betas": tuple[Smoothing, Smoothing],
    "alpha": Smoothing,
    "eps": Annotated[float, Above(0, "Try 1e-8: where a gradient is 0, the step would be 0 / 0.")],
    "T_max": PositiveInt,
}  # fmt: skip
