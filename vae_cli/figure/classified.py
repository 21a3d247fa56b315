"""What a model says of the images whose label is known."""

import torch

from vae_cli.data.split import Split
from vae_cli.figure.base import Inapplicable
from vae_cli.model.base import Model
from vae_cli.model.calibration import Verdicts, verdicts
from vae_cli.model.labelled import LabelledModel

BATCH = 500


def telling_labels(model: Model) -> LabelledModel:
    """The model, if it tells labels.

    Raises:
        Inapplicable: If it doesn't, or not yet.
    """
    if not isinstance(model, LabelledModel):
        raise Inapplicable("needs a model that tells labels: model=m1, m2 or m1_m2")
    if not model.is_fitted:
        raise Inapplicable("its classifier is fitted at the end of training")
    return model


def classified(
    model: LabelledModel, split: Split, count: int
) -> tuple[torch.Tensor, torch.Tensor, Verdicts]:
    """Labelled images of a split, at most so many, and what the model says of them.

    Returns:
        Their positions and labels, ``(N,)``, and the verdicts on them; all on the CPU.

    Raises:
        Inapplicable: If no label is known.
    """
    index = split.spread_labelled(count)
    if not len(index):
        raise Inapplicable("needs images with labels")
    parts = []
    for part in index.split(BATCH):
        batch = split.batch(part).to(model.device)
        parts.append(verdicts(model.classify(batch), batch.y))
    each = Verdicts(*(torch.cat(values).cpu() for values in zip(*parts, strict=True)))
    return index.cpu(), split.images.labels[index].cpu(), each
