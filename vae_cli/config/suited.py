"""What suits the data, where the user leaves the choice to them: the word ``auto``."""

import math
from typing import Any

from omegaconf import DictConfig, OmegaConf

from vae_cli.config.construct import construct
from vae_cli.config.folders import built_in_folder
from vae_cli.data.dataset import Dataset
from vae_cli.data.kind import Kind
from vae_cli.files import read_yaml
from vae_cli.likelihood.auto import Choice

AUTO = "auto"
SETTLED = ("likelihood", "data.batch_size", "data.suggests.max_epochs", "trainer.max_epochs")
STEPS = 2000  # of a run: the reconstructions of small sets are recognizable by then
FEWEST_STEPS = 500  # of one with large images, whose steps take long
FEWEST_EPOCHS = 10
STEPS_PER_EPOCH = 10
BATCH_SIZES = (8, 128)  # the smallest and the largest
BATCH_VALUES = 2**18  # numbers in a batch, of which two cores compute several steps a second


def suit(cfg: DictConfig, dataset: Dataset, kind: Kind, processes: int) -> None:
    """Puts what suits the data in the place of each ``auto``.

    Args:
        cfg: The configuration; changed in place.
        dataset: The images.
        kind: Of the images.
        processes: Among which a batch is shared out.
    """
    count, values = len(dataset.train), dataset.train.shape.numel()
    if is_auto(cfg, "likelihood"):
        choice: Choice = construct(cfg, "likelihood", partial=True)(kind.word)
        OmegaConf.update(cfg, "likelihood", option(choice), merge=False)
    if is_auto(cfg, "data.batch_size"):
        cfg.data.batch_size = suited_batch(count, values, processes)
    epochs = suited_epochs(count, values, cfg.data.batch_size)
    for key in SETTLED[2:]:
        if is_auto(cfg, key):
            OmegaConf.update(cfg, key, epochs)


def is_auto(cfg: DictConfig, key: str) -> bool:
    """Whether a choice is left to the data."""
    node: Any = OmegaConf.select(cfg, key)
    if isinstance(node, DictConfig):
        return bool(node.get("_target_") == f"vae_cli.{key}.auto.choose")
    return bool(node == AUTO)


def option(choice: Choice) -> dict[str, Any]:
    """The node of a choice: the option's yaml with the values of the choice."""
    file = built_in_folder() / "likelihood" / f"{choice.option}.yaml"
    return {**read_yaml(file), **choice.values}


def suited_batch(count: int, values: int, processes: int = 1) -> int:
    """Images a step: a power of two that leaves an epoch some steps; a multiple of the processes.

    Args:
        count: Training images.
        values: Numbers in an image.
        processes: Among which a batch is shared out.
    """
    smallest, largest = BATCH_SIZES
    most = min(count // STEPS_PER_EPOCH, BATCH_VALUES // values, largest)
    size = 2 ** int(math.log2(min(max(most, smallest), count)))
    return max(size // processes, 1) * processes


def suited_steps(values: int, batch_size: int) -> int:
    """Steps that are enough of small images, and as many as take a few minutes of large ones."""
    affordable = STEPS * BATCH_VALUES // (values * batch_size)
    return min(max(affordable, FEWEST_STEPS), STEPS)


def suited_epochs(count: int, values: int, batch_size: int) -> int:
    """Epochs that have enough steps; of a large set at least some passes."""
    steps_per_epoch = max(count // batch_size, 1)
    return max(math.ceil(suited_steps(values, batch_size) / steps_per_epoch), FEWEST_EPOCHS)
