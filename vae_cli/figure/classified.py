"""What a model says of the images whose label is known."""

import torch

from vae_cli.data.split import Split
from vae_cli.figure.base import Inapplicable
from vae_cli.model.calibration import Verdicts, verdicts
from vae_cli.model.labelled import LabelledModel

BATCH = 500


def classified(
    model: LabelledModel, split: Split, count: int
) -> tuple[torch.Tensor, torch.Tensor, Verdicts]:
    """Labelled images of a split, at most so many, and what the model says of them.

    Returns:
        Their positions and labels, ``(N,)``, and the verdicts on them; all on the CPU.

    Raises:
        Inapplicable: If no label is known, or the classifier is not fitted yet.
    """
    if not model.is_fitted:
        raise Inapplicable("its classifier is fitted at the end of training")
    index = split.spread_labelled(count)
    if not len(index):
        raise Inapplicable("needs images with labels")
    parts = []
    for part in index.split(BATCH):
        batch = split.batch(part).to(model.device)
        parts.append(verdicts(model.classify(batch), batch.y))
    each = Verdicts(*(torch.cat(values).cpu() for values in zip(*parts, strict=True)))
    return index.cpu(), split.images.labels[index].cpu(), each
