"""The splits of a dataset as Lightning wants them."""

from typing import Any

import torch
from pytorch_lightning import LightningDataModule

from vae_cli.data.split import Split
from vae_cli.training.loader import (
    EndlessLoader,
    EvaluationFetch,
    EvaluationOrder,
    TrainingFetch,
    TrainingOrder,
    make_loader,
)
from vae_cli.training.shuffle import make_shuffle

EVALUATION_BATCH = 500  # part of the definition of the evaluation's noise: not an option


class ImageDataModule(LightningDataModule):
    """Moves the splits to the training device and makes their loaders.

    Args:
        splits: By name.
        batch_size: Images a step over all processes.
        seed: Of the run: a number, or several.
        limit: Evaluation batches at most; None takes all.
        labelled_fraction: Of each training batch; None takes the images as they come.
    """

    def __init__(
        self,
        splits: dict[str, Split],
        batch_size: int,
        seed: object,
        limit: int | None,
        labelled_fraction: float | None,
    ) -> None:
        super().__init__()
        self.splits, self.batch_size, self.seed, self.limit = splits, batch_size, seed, limit
        self.labelled_fraction = labelled_fraction

    def setup(self, stage: str) -> None:
        """See Lightning."""
        assert self.trainer is not None
        for split in self.splits.values():
            split.to(self.trainer.strategy.root_device)

    def train_dataloader(self) -> EndlessLoader:
        """Batches of shuffled training images."""
        assert self.trainer is not None
        split, trainer = self.splits["train"], self.trainer
        shuffle = make_shuffle(
            split.images.labels, self.labelled_fraction, self.batch_size, trainer.world_size
        )
        order = TrainingOrder(
            shuffle, self.seed, trainer.global_rank, split.device, lambda: trainer.global_step
        )
        fetch = TrainingFetch(split, self.seed, trainer.global_rank)
        return EndlessLoader(make_loader(order, fetch, split.images.in_memory))

    def val_dataloader(self) -> Any:
        """Numbered batches of validation images."""
        return self.evaluation_loader("validation")

    def evaluation_loader(self, name: str) -> Any:
        """Numbered batches of a split: this process's share of them."""
        assert self.trainer is not None
        split, trainer = self.splits[name], self.trainer
        order = EvaluationOrder(
            len(split), EVALUATION_BATCH, trainer.global_rank, trainer.world_size, split.device,
            self.limit,
        )  # fmt: skip
        return make_loader(order, EvaluationFetch(split), split.images.in_memory)

    def transfer_batch_to_device(
        self, batch: Any, device: torch.device, dataloader_idx: int
    ) -> Any:
        """Leaves that to the steps."""
        return batch
