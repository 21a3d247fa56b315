"""What a command does about a run: start it, resume it, or join another process in it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from omegaconf import DictConfig

from vae_cli.config.request import Request
from vae_cli.launch.launch import Launch
from vae_cli.launch.meeting import Meeting
from vae_cli.run.folder import RunFolder
from vae_cli.training.signals import Signals

if TYPE_CHECKING:
    from rich.console import Console

    from vae_cli.training.experiment import Experiment


class Process(NamedTuple):
    """This process of a run.

    Attributes:
        launch: How it was started.
        meeting: With the run's other processes.
        signals: What asks it to save, or to stop.
        began: When the command began, by ``time.perf_counter``.
        announce: Prints what is known of an experiment before it is trained.
        conclude: Prints a run's results.
    """

    launch: Launch
    meeting: Meeting
    signals: Signals
    began: float
    announce: "Callable[[Experiment, Console], None]"
    conclude: "Callable[[Mapping[str, Any], RunFolder, Console], None]"


@dataclass(frozen=True)
class New:
    """Start a run.

    Attributes:
        request: Of today.
        chosen: The same without ``resume``.
        cfg: As composed.
        path: Of the folder.
        is_named: Whether the folder may not be numbered, should there be one of the name.
    """

    request: Request
    chosen: Request
    cfg: DictConfig
    path: str
    is_named: bool


@dataclass(frozen=True)
class Resume:
    """Resume the run of a folder.

    Attributes:
        request: Of today.
        chosen: The same behind the run's saved overrides.
        cfg: As composed.
        folder: Of the run.
        changes: Notes about defaults that have changed since the run was started.
    """

    request: Request
    chosen: Request
    cfg: DictConfig
    folder: RunFolder
    changes: Sequence[str]


@dataclass(frozen=True)
class Join:
    """Take part in a run that another process starts or resumes.

    Attributes:
        run: What that process does.
    """

    run: New | Resume
