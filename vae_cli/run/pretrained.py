"""A trained run whose model others build on: the features of M1+M2, the encoder of a classifier."""

from pathlib import Path
from typing import NamedTuple

from omegaconf import DictConfig

from vae_cli.data.record import Record
from vae_cli.errors import ConfigError
from vae_cli.model.base import Model
from vae_cli.run.checkpoint import load_model
from vae_cli.run.folder import RunFolder
from vae_cli.run.known_data import read_record


class PretrainedRun(NamedTuple):
    """A trained run.

    Attributes:
        folder: Of the run.
        checkpoint: Which of the folder's.
        model: With the checkpoint's weights, on the CPU, in evaluation mode.
        config: Of the run, every value concrete.
        record: The data of the run; None for a run of a version without a record.
    """

    folder: RunFolder
    checkpoint: Path
    model: Model
    config: DictConfig
    record: Record | None


def open_pretrained(
    folder: RunFolder, checkpoint: Path, key: str, trust: bool = False
) -> PretrainedRun:
    """Opens a trained run.

    Args:
        folder: Of the run.
        checkpoint: Which of the folder's.
        key: Which the user gave the folder to.
        trust: As for ``load_model``.
    """
    try:
        model, config = load_model(checkpoint, trust)
    except ConfigError as error:
        raise ConfigError(key, error.value, error.rule, error.remedy) from error
    return PretrainedRun(folder, checkpoint, model.eval(), config, read_record(folder, key))
