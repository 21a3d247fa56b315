"""What a run keeps, on scores made up, and that its files stay whole."""

import errno
import resource
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from vae_cli.errors import Interrupted
from vae_cli.folders import new_name, open_new, opened_folder
from vae_cli.run.folder import RunFolder
from vae_cli.training import checkpoint_file, checkpoints
from vae_cli.training.checkpoint_file import (
    CheckpointError,
    DurableCheckpointIO,
    read_checkpoint,
)
from vae_cli.training.checkpoints import Checkpoints
from vae_cli.training.signals import Signals
from vae_cli.training.wish import Wish

DAMAGED = r"is damaged|can't be read"
EMPTY = {"state_dict": {}, "config": "", "global_step": 0, "callbacks": {}}  # what each needs


class Trainer:
    """As much of Lightning's as a callback sees."""

    is_global_zero = True

    def __init__(self, score: float = 0.0, step: int = 0) -> None:
        self.global_step, self.callback_metrics = step, {"s": torch.tensor(score)}
        self.strategy = SimpleNamespace(checkpoint_io=DurableCheckpointIO())

    def save_checkpoint(self, path: Path) -> None:
        self.strategy.checkpoint_io.save_checkpoint(EMPTY | {"step": self.global_step}, path)


def step_of(path: Path) -> int:
    return torch.load(path, weights_only=True)["step"]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_best_checkpoint_is_the_best(tmp_path: Path) -> None:
    callback, best = Checkpoints(tmp_path, "s", Signals()), []
    for step, score in enumerate([1.0, 3.0, 2.0, 3.0, 4.0, -1.0]):
        restored = Checkpoints(tmp_path, "s", Signals())
        restored.load_state_dict(callback.state_dict())
        callback = restored
        callback.on_validation_end(Trainer(score, step), None)  # type: ignore[arg-type]
        best.append(step_of(tmp_path / "best.ckpt"))
        assert step_of(tmp_path / "last.ckpt") == step
        if step:
            assert step_of(tmp_path / "previous.ckpt") == step - 1
    assert best == [0, 1, 1, 1, 4, 4]
    assert names(tmp_path) == ["best.ckpt", "last.ckpt", "previous.ckpt"]


def test_a_best_one_that_is_lost_is_no_longer_the_one_to_beat(tmp_path: Path) -> None:
    callback = Checkpoints(tmp_path, "s", Signals())
    callback.on_validation_end(Trainer(5.0, 1), None)  # type: ignore[arg-type]
    (tmp_path / "best.ckpt").unlink()
    callback.load_state_dict({"best": 5.0})
    callback.on_validation_end(Trainer(4.0, 2), None)  # type: ignore[arg-type]
    assert step_of(tmp_path / "best.ckpt") == 2


def test_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(checkpoints.os, "link", refuse)
    callback = Checkpoints(tmp_path, "s", Signals())
    for step in range(3):
        callback.on_validation_end(Trainer(step, step), None)  # type: ignore[arg-type]
    found = {path.name: step_of(path) for path in tmp_path.iterdir()}
    assert found == {"best.ckpt": 2, "last.ckpt": 2, "previous.ckpt": 1}


def test_full_disk_leaves_the_files_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    callback = Checkpoints(tmp_path, "s", Signals())
    callback.on_validation_end(Trainer(1.0, 7), None)  # type: ignore[arg-type]
    before = names(tmp_path)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint_file.os, "fsync", full)
    with pytest.raises(CheckpointError, match=r"No space left.*are free.*resume="):
        callback.on_validation_end(Trainer(2.0, 8), None)  # type: ignore[arg-type]
    assert names(tmp_path) == before
    assert step_of(tmp_path / "last.ckpt") == step_of(tmp_path / "best.ckpt") == 7


def test_really_full(tmp_path: Path) -> None:
    files, limits = DurableCheckpointIO(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))  # Python ignores the signal
    try:
        files.save_checkpoint({"x": torch.ones(100_000)}, tmp_path / "new.ckpt")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert files.failure is not None and "takes 390.6 KiB" in files.failure
    assert names(tmp_path) == []


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    """Whatever a folder holds: a checkpoint takes the place of a link, and a folder is no link."""
    theirs, folder = tmp_path / "theirs", tmp_path / "checkpoints"
    theirs.write_text("theirs")
    folder.mkdir()
    for name in ("new.ckpt", "last.ckpt", "best.ckpt", "previous.ckpt", "best.partial"):
        (folder / name).symlink_to(theirs)
    callback = Checkpoints(folder, "s", Signals())
    for step in (1, 2):
        callback.on_validation_end(Trainer(step, step), None)  # type: ignore[arg-type]
    assert theirs.read_text() == "theirs"
    steps = [step_of(folder / f"{name}.ckpt") for name in ("previous", "last", "best")]
    assert steps == [1, 2, 2]
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(CheckpointError):
        Checkpoints(tmp_path / "link", "s", Signals()).on_validation_end(Trainer(), None)  # type: ignore[arg-type]
    assert len(names(folder)) == 5


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    run = RunFolder.create(str(tmp_path / "run"), True)
    (run.best.parent / new_name("last.ckpt")).write_bytes(b"half")
    (run.path / new_name("results.json")).write_bytes(b"half")
    (run.path / ".mine.new").touch()
    with opened_folder(run.path) as folder, open_new(new_name("alive"), folder), run.held():
        assert [name[:6] for name in names(run.path)] == [
            ".alive", ".mine.", "checkp", "figure", "lock",
        ]  # fmt: skip
        assert names(run.best.parent) == []


def test_folder_that_is_gone(tmp_path: Path) -> None:
    callback = Checkpoints(tmp_path / "gone", "s", Signals())
    with pytest.raises(CheckpointError, match="No such file"):
        callback.on_validation_end(Trainer(), None)  # type: ignore[arg-type]


def test_damage_is_seen(tmp_path: Path) -> None:
    path, generator = tmp_path / "x.ckpt", torch.Generator().manual_seed(0)
    weights = EMPTY | {"x": torch.randn(50, generator=generator), "y": [1, "two"]}
    DurableCheckpointIO().save_checkpoint(weights, path)
    content = path.read_bytes()
    for length in range(0, len(content), 37):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match=DAMAGED):
            read_checkpoint(path)
    for place in range(0, len(content) - 64, 5):
        path.write_bytes(content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :])
        with pytest.raises(CheckpointError, match=DAMAGED):
            read_checkpoint(path)
    path.write_bytes(content)
    assert torch.equal(read_checkpoint(path)["x"], weights["x"])
    assert torch.equal(torch.load(path, weights_only=True)["x"], weights["x"])
    path.unlink()
    with pytest.raises(CheckpointError, match="is missing"):
        read_checkpoint(path)


def test_what_torch_alone_has_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.ckpt"
    torch.save(EMPTY | {"x": torch.ones(50)}, path)
    assert torch.equal(read_checkpoint(path)["x"], torch.ones(50))
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        tensor = next(info for info in archive.infolist() if info.file_size == 200)
    path.write_bytes(content.replace(torch.ones(50).numpy().tobytes(), bytes(200)))
    with pytest.raises(CheckpointError, match=DAMAGED):
        read_checkpoint(path)
    assert tensor.CRC


MODULE: Any = SimpleNamespace(trainer=Trainer(), check_numbers=lambda: None)


def test_saves_every_so_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 100_000, 20))  # seconds
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: next(clock))
    callback = Checkpoints(tmp_path, "s", Signals(), every_steps=7, every_minutes=None)
    assert [step for step in range(1, 30) if _saves(callback, step)] == [7, 14, 21, 28]
    callback = Checkpoints(tmp_path, "s", Signals(), every_steps=None, every_minutes=1.0)
    callback._saved_at = next(clock)
    saved = [step for step in range(1, 30) if _saves(callback, step)]
    assert saved == [3, 6, 9, 12, 15, 18, 21, 24, 27]


def _saves(callback: Checkpoints, step: int) -> bool:
    for path in callback.folder.iterdir():
        path.unlink()
    callback.after_step(MODULE, step)
    return (callback.folder / "last.ckpt").exists()


def test_stops_once_saved(tmp_path: Path) -> None:
    signals = Signals()
    callback = Checkpoints(tmp_path, "s", signals)
    callback.after_step(MODULE, 1)
    signals.wish = Wish.SAVE
    assert _saves(callback, 2) and not _saves(callback, 3)
    signals.wish = Wish.STOP
    with pytest.raises(Interrupted, match=r"saved at step 4.*resume="):
        callback.after_step(MODULE, 4)
    assert names(tmp_path) == ["last.ckpt"]
