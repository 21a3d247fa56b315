"""What a terminal, narrow or wide, and what a pipe is shown."""

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from rich.console import Console

from vae_cli.console import folded, make_console
from vae_cli.kl_schedule.linear import LinearSchedule
from vae_cli.run.folder import RunFolder
from vae_cli.terminal.summary import print_summary
from vae_cli.training.callbacks import CollapseWarning
from vae_cli.training.collapse import collapse_advice
from vae_cli.training.progress import ProgressDisplay
from vae_cli.training.recorder import Recorder

RESULTS = {
    "test/images": 10_000, "data/binarize": "dynamic", "latent_dim": 40, "train/steps": 7800,
    "test/elbo": -99.45, "test/elbo_se": 0.29, "test/reconstruction": -73.2, "test/kl": 26.2,
    "test/reconstruction_se": 0.28, "test/kl_se": 0.06, "test/active_units": 12,
    "test/log_likelihood": -94.77, "test/log_likelihood_se": 0.27, "test/bits_per_dim": 0.17,
    "test/log_likelihood_samples": 200, "train/images_per_second": 8003.1, "train/seconds": 28.56,
    "fast_dev_run": False,
}  # fmt: skip


def console(width: int, terminal: bool) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, width=width, height=24, force_terminal=terminal), file


def display(shown: Console) -> ProgressDisplay:
    recorder = Recorder(50)
    recorder.averages = {"loss": 99.1, "elbo": -98.12, "reconstruction": -72.31, "kl": 25.81}
    return ProgressDisplay(
        100, 128, "elbo", LinearSchedule(warmup_steps=100), recorder, shown
    )  # fmt: skip


def trainer(step: int, total: int = 100, **metrics: float) -> Any:
    numbers = {f"validation/{name}": torch.tensor(value) for name, value in metrics.items()}
    return SimpleNamespace(
        global_step=step, callback_metrics=numbers, is_global_zero=True, max_steps=total
    )


def drive(progress: ProgressDisplay) -> None:
    progress.on_train_start(trainer(0), None)  # type: ignore[arg-type]
    for step in range(1, 51):
        progress.after_step(step)
    progress.on_validation_end(trainer(50, elbo=-99.45), None)  # type: ignore[arg-type]


def test_a_mistake_that_ends_a_run_is_not_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar takes stderr while it is shown, and would break a command to copy in two."""
    shown, file = console(40, terminal=True)
    monkeypatch.setattr("sys.stderr", file)
    progress = display(shown)
    drive(progress)
    progress.on_exception(trainer(50), None, KeyboardInterrupt())  # type: ignore[arg-type]
    command = f"vae-train resume=outputs/{'x' * 60}"
    print(command, file=sys.stderr)
    assert file.getvalue().endswith(f"{command}\n")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_terminal_of_any_width(width: int) -> None:
    shown, _ = console(width, terminal=True)
    progress = display(shown)
    drive(progress)
    progress.live.stop()
    with shown.capture() as capture:
        shown.print(progress.live.get_renderable())
    plain, _ = console(width, terminal=False)
    with plain.capture() as capture:
        plain.print(progress.live.get_renderable())
    lines = capture.get().splitlines()
    assert all(len(line) <= width for line in lines) and len(lines) <= 4
    text = " ".join(" ".join(lines).split())
    for part in ("50/100", "validation elbo -99.45", "training elbo -98.12", "kl 25.81",
                 "reconstruction -72.31", "weight 0.50", "images/s"):  # fmt: skip
        assert part in text
    assert "loss" not in text


def test_pipe_has_whole_lines_without_escape_codes() -> None:
    shown, file = console(60, terminal=False)
    progress = display(shown)
    drive(progress)
    progress.teardown(trainer(50), None, "fit")  # type: ignore[arg-type]
    (line,) = file.getvalue().splitlines()
    assert "\x1b" not in line and line.startswith("step 50/100   validation elbo -99.45")
    assert "images/s" in line


def test_long_training_is_announced_and_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("vae_cli.training.progress.time.monotonic", lambda: now)
    shown, file = console(60, terminal=False)
    progress = display(shown)
    progress.on_train_start(trainer(0), None)  # type: ignore[arg-type]
    for step in range(1, 101):
        now += 0.5
        progress.after_step(step)
    first, *others = file.getvalue().splitlines()
    assert first == "training: about 50 s for 100 steps."
    assert [line.split()[1] for line in others] == ["20/100", "40/100", "60/100", "80/100"]


@pytest.mark.parametrize("variable", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_plain_where_asked_for(variable: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert make_console().is_terminal
    monkeypatch.setenv(*variable)
    plain = make_console()
    assert not plain.is_terminal
    with plain.capture() as capture:
        plain.print("warning", style="yellow")
    assert capture.get() == "warning\n"


def test_parts_stay_whole() -> None:
    assert folded(["aaa", "bbb", "cccccc"], 9) == ["aaa   bbb", "cccccc"]
    assert folded(["a" * 20], 9) == ["a" * 20]
    assert folded([], 9) == []


@pytest.mark.parametrize("width", [60, 80, 120])
def test_summary_of_any_width(width: int, tmp_path: Any) -> None:
    shown, file = console(width, terminal=False)
    print_summary({**RESULTS, "test/active_units": 0}, RunFolder(tmp_path), shown)
    table, _, lines = file.getvalue().partition("warning: ")
    assert all(len(line) <= width for line in table.splitlines())
    for value in ("-99.45 ± 0.29", "-94.77 ± 0.27", "test/log_likelihood", "8003"):
        assert value in table
    assert lines.startswith("posterior collapse: 0 of 40") and "kl_schedule=linear" in lines
    assert f"resume={tmp_path} trainer.max_steps=15600\n" in lines


def test_a_trial_run_goes_on_as_a_full_one(tmp_path: Any) -> None:
    shown, file = console(120, terminal=False)
    print_summary({**RESULTS, "fast_dev_run": True}, RunFolder(tmp_path), shown)
    assert f"vae-train resume={tmp_path} trainer.fast_dev_run=false\n" in file.getvalue()


@pytest.mark.parametrize(
    ("active", "latent_dim", "is_said"),
    [(0, 2, True), (1, 2, False), (0, 10, True), (1, 10, False), (3, 40, True), (4, 40, False)],
)
def test_what_counts_as_collapse(active: int, latent_dim: int, is_said: bool) -> None:
    advice = collapse_advice({"test/active_units": active, "test/kl": 0.1}, latent_dim, "test")
    assert (advice is not None) == is_said
    if advice is not None:
        assert f"{active} of {latent_dim} dimensions" in advice and "KL 0.10 nats" in advice


def test_nobody_knows_without_active_units() -> None:
    assert collapse_advice({"test/kl": 0.0}, 2, "test") is None


def test_warning_comes_once_and_not_early() -> None:
    shown, file = console(80, terminal=False)
    callback = CollapseWarning(2, settled_at=1000, total_steps=5000, console=shown)
    said = []
    for step in (500, 1500, 2900, 3000, 4000, 5000):
        numbers = trainer(step, total=5000, active_units=0, kl=0.01)
        callback.on_validation_end(numbers, None)  # type: ignore[arg-type]
        said.append(file.getvalue().count("posterior collapse"))
    assert said == [0, 0, 0, 1, 1, 1] and "step 3000" in file.getvalue()
