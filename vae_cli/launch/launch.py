"""What the environment says of a run's processes: who has started them, and which is the first."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from vae_cli.errors import ConfigError

SHARED_FOLDER = "VAE_CLI_RUN_FOLDER"  # tells the other processes of a run which folder is theirs
INTERACTIVE = ("bash", "interactive")  # Slurm jobs whose processes Lightning takes for lone ones
MORE = "Set MASTER_ADDR, MASTER_PORT and NODE_RANK, or use torchrun or srun: docs/devices.md."
OF_TORCHRUN = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_WORLD_SIZE")
OF_SRUN = ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID")
MARKS = {"torchrun": "TORCHELASTIC_RUN_ID", "srun": "SLURM_NTASKS"}  # tell who has started it
FLAGS = {
    "torchrun": ("--nproc_per_node", "--nnodes"),
    "srun": ("--ntasks-per-node", "--nodes"),
}


class Launch(NamedTuple):
    """How a process was started, as Lightning will find it when it sets up its group.

    Attributes:
        by: ``torchrun``, ``srun``, ``Lightning`` (in another process of the run) or ``hand``.
        is_first: Whether it is the first of all: it alone speaks, and decides on the folder.
        devices: Processes on each node; None where the configuration says how many.
        nodes: Number of nodes; likewise.
    """

    by: str
    is_first: bool
    devices: int | None
    nodes: int | None

    @property
    def size(self) -> int | None:
        """Number of processes that were started, None where the configuration says how many."""
        return None if self.devices is None or self.nodes is None else self.devices * self.nodes

    @property
    def may_have_others(self) -> bool:
        """Whether other processes were started, as far as is known without the configuration."""
        if self.size is not None:
            return self.size > 1
        return "MASTER_PORT" in os.environ and not {"NODE_RANK", "LOCAL_RANK"}.isdisjoint(
            os.environ
        )

    def check(self, devices: int | list[int], nodes: int) -> int:
        """Checks that the processes are those that the configuration speaks of.

        Returns:
            How many processes have to find each other; Lightning starts the others.

        Raises:
            ConfigError: If there are more or fewer of them, or if they can't find each other.
        """
        if self.by == "Lightning":
            return 1
        count = devices if isinstance(devices, int) else len(devices)
        if self.by == "hand":
            return _check_by_hand(devices, count, nodes)
        where = "on each node" if self.nodes != 1 else "here"
        flags = FLAGS[self.by]
        for key, value, asked, found, what, flag in (
            ("devices", devices, count, self.devices, f"process(es) {where}", flags[0]),
            ("nodes", nodes, nodes, self.nodes, "node(s)", flags[1]),
        ):
            if asked != found:
                rule = f"{self.by} has started {found} {what}"
                remedy = f"Try accelerator.{key}={found}, or {self.by} {flag}={asked}."
                remedy += f" For a run without a launcher: unset {MARKS[self.by]}."
                raise ConfigError(f"accelerator.{key}", value, rule, remedy)
        return count * nodes


def find_launch() -> Launch:
    """How this process was started.

    Raises:
        ConfigError: If its environment contradicts itself.
    """
    is_first = is_first_process()
    if SHARED_FOLDER in os.environ:
        return Launch("Lightning", is_first, 1, 1)
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return _by_torchrun(is_first)
    if not _is_srun():
        return Launch("hand", is_first, None, None)
    tasks = _number("SLURM_NTASKS", 1)
    if tasks == 1:
        return Launch("srun", True, 1, 1)
    _check_complete("SLURM_NTASKS", "srun", OF_SRUN)
    _check_below("SLURM_PROCID", "SLURM_NTASKS")
    if "SLURM_NTASKS_PER_NODE" not in os.environ:  # Lightning relies on it
        remedy = "Try srun --ntasks-per-node in place of --ntasks. For one process: --ntasks=1."
        raise ConfigError("SLURM_NTASKS", tasks, "needs their number on each node", remedy)
    on_each = _number("SLURM_NTASKS_PER_NODE", 1)
    nodes = _number("SLURM_NNODES", 1) if "SLURM_NNODES" in os.environ else tasks // on_each
    if on_each * nodes != tasks:
        rule = f"there are {nodes} node(s) with {on_each} each by SLURM_NTASKS_PER_NODE"
        remedy = f"Try srun --ntasks={on_each * nodes}."
        raise ConfigError("SLURM_NTASKS", tasks, rule, remedy)
    return Launch("srun", is_first, on_each, nodes)


def _by_torchrun(is_first: bool) -> Launch:
    _check_complete("TORCHELASTIC_RUN_ID", "torchrun", (*OF_TORCHRUN, "MASTER_ADDR", "MASTER_PORT"))
    for name in OF_TORCHRUN:
        _number(name)
    _check_below("RANK", "WORLD_SIZE")
    _check_below("LOCAL_RANK", "LOCAL_WORLD_SIZE")
    on_each, nodes = _number("LOCAL_WORLD_SIZE", 1), _number("GROUP_WORLD_SIZE", 1)
    if on_each * nodes != _number("WORLD_SIZE"):
        rule = f"there are {nodes} node(s) with {on_each} processes each by GROUP_WORLD_SIZE"
        raise ConfigError("WORLD_SIZE", os.environ["WORLD_SIZE"], rule, _unset("WORLD_SIZE"))
    return Launch("torchrun", is_first, on_each, nodes)


def clear_environment(launch: Launch, is_lone: bool) -> None:
    """Removes variables that another launcher has left behind: Lightning would believe them.

    Args:
        launch: How this process was started.
        is_lone: Whether nobody has started other processes of the run.
    """
    stale = set[str]()
    if launch.by in ("hand", "srun"):
        stale |= {"RANK", "WORLD_SIZE", "GROUP_RANK", "JSM_NAMESPACE_RANK"}
        stale |= {"SLURM_PROCID"} if launch.by == "hand" else {"LOCAL_RANK", "NODE_RANK"}
        if is_lone:
            stale |= {"LOCAL_RANK", "NODE_RANK", "SLURM_NTASKS", *OF_SRUN}
    for name in stale:
        os.environ.pop(name, None)


def is_first_process() -> bool:
    """Whether this is the only process of its run, or the one of all that speaks."""
    if SHARED_FOLDER in os.environ:
        return False
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return os.environ.get("RANK", "0") == "0"
    if _is_srun():
        return os.environ.get("SLURM_PROCID", "0") == "0"
    if "MASTER_PORT" not in os.environ:  # nobody to be second to
        return True
    return os.environ.get("LOCAL_RANK", "0") == os.environ.get("NODE_RANK", "0") == "0"


def _check_by_hand(devices: int | list[int], on_each: int, nodes: int) -> int:
    """The same for processes that the user has started, one on each node or all of them."""
    size = nodes * (on_each if "LOCAL_RANK" in os.environ else 1)
    if nodes > 1 and not {"MASTER_ADDR", "MASTER_PORT", "NODE_RANK"} <= {*os.environ}:
        raise ConfigError("accelerator.nodes", nodes, "the nodes can't find each other", MORE)
    if size > 1 and "MASTER_PORT" not in os.environ:
        rule = "LOCAL_RANK says that the processes were started, and MASTER_PORT is missing"
        raise ConfigError("accelerator.devices", devices, rule, "Set it, or unset LOCAL_RANK.")
    for name, key, value, count in (
        ("NODE_RANK", "nodes", nodes, nodes),
        ("LOCAL_RANK", "devices", devices, on_each),
    ):
        if size > 1 and name in os.environ and _number(name) >= count:
            rule = f"{name}={os.environ[name]} is beyond the last, which is {count - 1}"
            raise ConfigError(f"accelerator.{key}", value, rule, f"Count {name} from 0.")
    return size


def _is_srun() -> bool:
    return "SLURM_NTASKS" in os.environ and os.environ.get("SLURM_JOB_NAME") not in INTERACTIVE


def _check_complete(says: str, launcher: str, names: Sequence[str]) -> None:
    """Checks that a launcher has left all of its variables, not some of another process's."""
    for name in names:
        if not os.environ.get(name):
            rule = f"says that {launcher} has started this process, and {name} is missing"
            raise ConfigError(says, os.environ[says], rule, _unset(says))


def _check_below(name: str, count: str) -> None:
    if _number(name) >= _number(count):
        rule = f"is beyond the last, by {count}={os.environ[count]}"
        raise ConfigError(name, os.environ[name], rule, _unset(name))


def _number(name: str, least: int = 0) -> int:
    value = os.environ.get(name, "")
    if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value) >= least):
        raise ConfigError(name, value, f"needs a number from {least}", _unset(name))
    return int(value)


def _unset(name: str) -> str:
    """What to do about a variable that contradicts others."""
    says = next((mark for mark in MARKS.values() if mark in os.environ), name)
    return f"A launcher sets it. For a run without one: unset {says}."
