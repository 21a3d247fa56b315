"""The campaign of benchmarks/faults.py, a short one: each fault once or twice."""

import importlib.util
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "faults.py"


def _load() -> ModuleType:
    """The script as a module that its own processes can import too."""
    sys.path.insert(0, str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("faults", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["faults"] = module
    spec.loader.exec_module(module)
    return module


faults = _load()
STEP = "a training step"
DEATHS = [
    *((place, call, signal.SIGKILL) for call, place in enumerate(faults.PLACES, start=2)),
    (STEP, 14, signal.SIGTERM),  # the last of an epoch
    (STEP, 20, signal.SIGUSR1),
]
# Of the phases of a run those that leave a folder in different states; the script has all.
PHASES = ["composing", "making the logger", "before the first step", "testing", "writing results"]


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return faults.Campaign(tmp_path_factory.mktemp("campaign"))


@pytest.mark.parametrize(("place", "call", "number"), DEATHS)
def test_death(place: str, call: int, number: int, campaign: Any) -> None:
    assert faults.killed_at(campaign, faults.Death(place, call, number))


@pytest.mark.parametrize("phase", PHASES)
def test_stopped_in_any_phase(phase: str, campaign: Any) -> None:
    assert faults.stopped_at(campaign, faults.Death(phase, 1, signal.SIGTERM))


def test_a_disk_that_is_full_at_a_checkpoint(campaign: Any) -> None:
    assert faults.full_disk(campaign, 12_000)


def test_deleted_folder(campaign: Any) -> None:
    assert faults.removed(campaign)
