"""Training a classifier."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Adam

from vae_cli import noise
from vae_cli.data.batch import Batch
from vae_cli.data.split import Split
from vae_cli.errors import TrainingError
from vae_cli.model.calibration import verdicts
from vae_cli.training.loader import EndlessLoader, TrainingFetch, TrainingOrder, make_loader
from vae_cli.training.shuffle import LabelledAlone

VALIDATIONS = 50  # of a long training, each by the same factor later than the one before
BATCH = 500  # images measured at once; part of the definition of the noise: not an option


class SupervisedOptions(NamedTuple):
    """How a network is trained."""

    steps: int
    batch_size: int  # images a step; all that have a label if there are fewer
    lr: float  # of Adam
    seed: int  # of the order of the images and all noise


class Score(NamedTuple):
    """How well a classifier does: the larger score is the better one."""

    accuracy: float
    log_label: float  # mean of log q(y|x) of the labels, nats


class ChosenState(NamedTuple):
    """Which of its states a network is left in."""

    step: int
    epoch: float
    validation: Score


def train_on_labels(
    network: nn.Module,
    splits: Mapping[str, Split],
    options: SupervisedOptions,
    after_step: Callable[[int], None],
) -> ChosenState:
    """Maximises log q(y|x) over the training images with a label.

    Binarization is drawn anew in each epoch where it is in any training. The network is left as it
    was at its best validation accuracy, and among equals at the largest mean of
    log q(y|x). Validations are close together at first: where few labels are learnt on weights that
    have learned before, the best comes early.

    Args:
        network: From a batch to logits, ``(B, K)``; changed in place.
        splits: ``train`` and ``validation``, both with labels.
        options: See there.
        after_step: Called with the number of steps taken, after each.

    Raises:
        TrainingError: If the loss is no longer a number.
    """
    step, best, state = 0, ChosenState(0, 0.0, Score(-math.inf, -math.inf)), dict[str, Tensor]()
    shuffle = LabelledAlone(splits["train"].images.labels, options.batch_size, world_size=1)
    batches = _batches(splits["train"], shuffle, options.seed, lambda: step)
    device = next(network.parameters()).device
    optimizer = Adam(network.parameters(), lr=options.lr, fused=True)
    validated = {round(options.steps ** (k / VALIDATIONS)) for k in range(1, VALIDATIONS + 1)}
    while step < options.steps:
        network.train()
        batch = next(batches).to(device)
        with noise.stream(device, "supervised", options.seed, step):
            loss = cross_entropy(network(batch), batch.y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if step in validated:
            score = score_of(network, splits["validation"], options.seed)
            if not math.isfinite(score.log_label):
                rule = f"step {step}: log q(y|x) is NaN or infinite"
                raise TrainingError(f"{rule}. Try a smaller lr.")
            if score > best.validation:
                best = ChosenState(step, step / len(shuffle), score)
                state = {name: value.clone() for name, value in network.state_dict().items()}
        after_step(step)
    network.load_state_dict(state)
    return best


def _batches(
    train: Split, shuffle: LabelledAlone, seed: int, step: Callable[[], int]
) -> Iterator[Batch]:
    """Those of one epoch after another, each with its own order and noise."""
    stream = ("supervised", seed)
    order = TrainingOrder(shuffle, stream, 0, train.device, step)
    fetch = TrainingFetch(train, stream, 0)
    return next(iter(EndlessLoader(make_loader(order, fetch, train.images.in_memory))))


@torch.no_grad()
def score_of(network: nn.Module, split: Split, seed: int) -> Score:
    """How well a network tells the labels of a split, whose images are binarized once and for all.

    Args:
        network: From a batch to logits, ``(B, K)``.
        split: With at least one label.
        seed: Of the noise of encoders that draw.
    """
    network.eval()
    device = next(network.parameters()).device
    index = split.spread_labelled(len(split))
    sums = torch.zeros(2, dtype=torch.float64, device=device)
    with noise.stream(device, "supervised", seed, split.name):
        for part in index.split(BATCH):
            batch = split.batch(part).to(device)
            log_label = network(batch).double().log_softmax(-1)
            known = log_label.gather(-1, batch.y.unsqueeze(-1))
            sums += torch.stack([verdicts(log_label, batch.y).is_right.sum(), known.sum()])
    return Score(*(sums / len(index)).tolist())
