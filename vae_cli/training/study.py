"""A study, and how a run learns which of its trials it is.

optuna is of an extra, and slow to load: it is imported where it is needed.
"""

import json
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Self

from vae_cli.errors import VaeCliError

if TYPE_CHECKING:
    from optuna import Study
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.storages import BaseStorage

TRIAL = "VAE_CLI_TRIAL"  # the variable that makes a run a trial
BUSY = 60  # seconds to wait for other processes that write to a file of sqlite


class Trial(NamedTuple):
    """What a run has to know to be compared with others while it trains.

    Attributes:
        storage: Of the study, as for ``storage_at``.
        study: Its name.
        number: Of the trial in it.
        objective: Name of the number that is compared, among those of a validation.
        pruner: ``median`` or ``hyperband``.
        startup_trials, warmup_epochs: As for ``make_pruner``.
    """

    storage: str
    study: str
    number: int
    objective: str
    pruner: str
    startup_trials: int
    warmup_epochs: int

    @classmethod
    def from_text(cls, text: str) -> Self:
        """From what ``to_text`` made."""
        return cls(**json.loads(text))

    def to_text(self) -> str:
        """As the variable holds it."""
        return json.dumps(self._asdict())


def storage_at(place: str) -> "BaseStorage":
    """Where studies are kept, made if need be.

    Args:
        place: Address of a database, or path of a journal, which also network file systems can
            hold.
    """
    import optuna
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    optuna.logging.set_verbosity(optuna.logging.ERROR)  # it would say what the command says
    try:
        if "://" not in place:
            return JournalStorage(JournalFileBackend(place))
        patience = {"connect_args": {"timeout": BUSY}} if place.startswith("sqlite") else {}
        # No connection is kept open: hours may pass between two questions, and servers hang up.
        return RDBStorage(place, engine_kwargs={"poolclass": NullPool, **patience})
    except (SQLAlchemyError, optuna.exceptions.OptunaError, ImportError, OSError, RuntimeError,
            ValueError) as error:  # fmt: skip
        raise _unusable(place, error) from error


def open_study(
    place: str, name: str, directions: Mapping[str, str], sampler: "BaseSampler"
) -> "Study":
    """A study, made if it is not there.

    Raises:
        VaeCliError: If it can't be opened, or is of other objectives.
    """
    import optuna

    storage = storage_at(place)
    try:
        study = optuna.create_study(
            storage=storage, study_name=name, load_if_exists=True, sampler=sampler,
            directions=[optuna.study.StudyDirection[d.upper()] for d in directions.values()],
            pruner=optuna.pruners.NopPruner(),
        )  # fmt: skip
        names = study.metric_names or [*directions]
        found = {n: d.name.lower() for n, d in zip(names, study.directions, strict=True)}
        if found == directions and study.metric_names is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                study.set_metric_names([*directions])
    except optuna.exceptions.OptunaError as error:
        raise _unusable(place, error) from error
    if found != directions:
        goals = " and ".join(f"{direction}s {metric}" for metric, direction in found.items())
        raise VaeCliError(f"sweep.objectives: the study {name} {goals}. Try another sweep.study.")
    return study


def make_pruner(kind: str, startup_trials: int, warmup_epochs: int) -> "BasePruner":
    """Decides whether a trial is worth continuing.

    Args:
        kind: ``median`` ends what is below the median of the trials before it at the same epoch,
            ``hyperband`` what is not among the best third at epochs ever farther apart.
        startup_trials: That are to end before the first is pruned, for ``median``.
        warmup_epochs: That each trial has before it may be pruned.
    """
    from optuna.pruners import HyperbandPruner, MedianPruner

    if kind == "median":
        return MedianPruner(n_startup_trials=startup_trials, n_warmup_steps=warmup_epochs)
    return HyperbandPruner(min_resource=max(1, warmup_epochs))


def _unusable(place: str, error: Exception) -> VaeCliError:
    reason = " ".join(str(error).split())[:200]
    return VaeCliError(f"sweep.storage={place}: can't be used ({reason}). Is it an address?")
