"""Any command line either runs or is refused in one line; nothing is half done."""

import importlib
import os
import shutil
import signal
import socket
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mutations
import pytest

COUNT = int(os.environ.get("VAE_CLI_FUZZ", "20"))
BATCH = 10  # cases a test
LONGEST = 1400  # characters of a line
SECONDS = 60  # until a case counts as hanging
# After these there is a folder: the training that it tells of did take place.
RAN = ("step ", "is NaN or infinite")


def entries(folder: Path) -> set[str]:
    return {path.as_posix() for path in folder.rglob("*")}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The current folder, with a run in it; neither network nor GPU, nor anything of the user's."""
    folder = tmp_path_factory.mktemp("work")

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError("there is no network in tests")

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(socket, "create_connection", refuse)
        patch.setattr("torch.cuda.device_count", lambda: 0)
        for name in ("VAE_CLI_CONF", "VAE_CLI_DATA", "VAE_CLI_RUN_FOLDER"):
            patch.delenv(name, raising=False)
        trained = f"hydra.run.dir={mutations.RUN}"
        assert call("train", [*mutations.brief("train", [trained]), trained]) == 0
        (folder / "file.txt").write_text("text")
        yield folder
        os.environ.pop("VAE_CLI_RUN_FOLDER", None)


def call(command: str, arguments: list[str]) -> int:
    os.environ.pop("VAE_CLI_RUN_FOLDER", None)  # each call stands for a process
    code: int = importlib.import_module(f"vae_cli.commands.{command}").main(arguments)
    return code


def hangs(*args: Any) -> None:
    raise TimeoutError(f"more than {SECONDS} seconds")


@pytest.mark.parametrize("batch", range(-(-COUNT // BATCH)))
def test_runs_or_reports_a_mistake(
    batch: int, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.signal(signal.SIGALRM, hangs)
    try:
        for number in range(batch * BATCH, min((batch + 1) * BATCH, COUNT)):
            check(number, workplace, capsys)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def check(number: int, workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = mutations.case(number)
    for name, content in case.yamls.items():
        (workplace / name).parent.mkdir(parents=True, exist_ok=True)
        (workplace / name).write_bytes(content)
    before = entries(workplace)
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings(record=True) as warned:  # they are lines, too
            code = call(case.command, case.arguments)
    except BaseException as error:
        error.add_note(f"case {number}: {case}")
        raise
    signal.alarm(0)
    told = capsys.readouterr().err
    new = entries(workplace) - before
    assert code in (0, 2) and "Traceback" not in told, (number, case, told)
    if code == 2:
        assert len(told.splitlines()) == 1 and not warned, (number, case, told, warned)
        assert len(told) < LONGEST, (number, case, told)
        assert not new or any(part in told for part in RAN), (number, case, told, new)
    for path in sorted(map(Path, new), reverse=True):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if case.yamls:
        shutil.rmtree(workplace / mutations.OWN)


def test_is_the_same_each_time() -> None:
    first, second = ([mutations.case(number) for number in range(20)] for _ in range(2))
    assert first == second


def test_every_key_is_among_those_that_are_mutated() -> None:
    named = {key.name for command in mutations.BRIEF for key in mutations.keys(command)}
    expected = {"latent_dim", "optimizer.lr_schedule.gamma", "figure.samples.rows", "data.path"}
    assert expected <= named and len(named) > 150
