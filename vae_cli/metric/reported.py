"""What the objective itself reports: the bound and its parts."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.distributions import Distribution

from vae_cli.data.batch import Batch
from vae_cli.metric.base import Metric, Moments, Value, among, mean_and_error
from vae_cli.model.base import Model
from vae_cli.number import known
from vae_cli.objective.base import Objective

WEIGHTED = "weighted_elbo"
HAS = "has_"  # before the name of a quantity that only some images have


class Reported(Metric[Model]):
    """The objective's quantities, averaged over images, with standard errors.

    Quantities of images with a label are averaged over those, and left out without any.

    Args:
        objective: Its quantities, the bound at weight 1 among them.
        weight: Of the KL, once its schedule has settled. If it is not 1, the bound at this weight,
            ``weighted_elbo``, is a quantity as well: it is what was trained for.
    """

    is_costly = False

    def __init__(self, objective: Objective[Any], weight: float = 1.0) -> None:
        self.objective = objective
        self.weight = weight if objective.weighs_kl else 1.0
        self.declares = (*objective.declares, *known(*[WEIGHTED] * (self.weight != 1)))

    @property
    def monitor(self) -> str:
        """The quantity that is trained for, larger being better."""
        return self.objective.monitor if self.weight == 1 else WEIGHTED

    def values(self, model: Model, batch: Batch, q: Distribution) -> dict[str, Tensor]:
        """See the base class."""
        values = self.objective.report(model, batch)
        if self.weight != 1:
            values[WEIGHTED] = values["reconstruction"] - self.weight * values["kl"]
        has = {name: ~values[name].isnan() for name in self.objective.partial}
        values |= {name: values[name].where(mask, 0) for name, mask in has.items()}
        return values | {f"{HAS}{name}": mask.double() for name, mask in has.items()}

    def result(self, moments: Mapping[str, Moments]) -> dict[str, Value]:
        """See the base class."""
        numbers: dict[str, Value] = {}
        for name, each in moments.items():
            having = moments.get(f"{HAS}{name}")
            if having is not None and having.mean > 0:
                numbers |= mean_and_error(name, among(each, having))
            elif having is None and not name.startswith(HAS):
                numbers |= mean_and_error(name, each)
        return numbers


def is_same_number(saved: str | None, monitor: str) -> bool:
    """Whether a checkpoint followed a number; None is that of versions that had no weighted one."""
    return saved == monitor or (saved is None and not monitor.endswith(WEIGHTED))
