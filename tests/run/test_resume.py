"""Going on with runs: which, from where, and with what settings."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from vae_cli.commands.train import main
from vae_cli.launch.launch import SHARED_FOLDER
from vae_cli.report.curves import read_curves
from vae_cli.run.folder import RunFolder
from vae_cli.training.checkpoint_file import read_checkpoint

SMALL = ["network.hidden_dims=[8]", "data.batch_size=100", "trainer.max_steps=20", "logger=none",
         "trainer.progress=false", "metric=[]", "figure=[]"]  # fmt: skip
Train = Callable[..., Path]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one, on a machine without a scheduler."""
    for name in ("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", SHARED_FOLDER):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def steps(folder: Path) -> int:
    return read_checkpoint(folder / "checkpoints" / "last.ckpt")["global_step"]


def test_run_id_names_the_folder(here: Path) -> None:
    assert main([*SMALL, "run_id=mine"]) == 0
    assert [p.as_posix() for p in Path("outputs").glob("*/*")] == ["outputs/digits_vae/mine"]


def test_auto_starts_resumes_and_ends(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [*SMALL, "run_id=mine", "resume=auto"]
    run = here / "outputs" / "digits_vae" / "mine"
    assert main(command) == 0 and steps(run) == 20
    assert "rarely enough" in capsys.readouterr().out  # of a run that is to train
    assert main(command) == 0
    shown = capsys.readouterr()
    assert "has finished" in shown.out and "rarely enough" not in shown.out
    longer = [text.replace("max_steps=20", "max_steps=25") for text in command]
    assert main(longer) == 0 and steps(run) == 25
    assert [p.name for p in run.parent.iterdir()] == ["mine"]
    assert main([*command, "hydra.run.dir=other"]) == 0 and steps(here / "other") == 20


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"SLURM_JOB_ID": "17"}, "17"),
        ({"SLURM_JOB_ID": "18", "SLURM_ARRAY_JOB_ID": "17", "SLURM_ARRAY_TASK_ID": "3"}, "17_3"),
        ({"PBS_JOBID": "12.server"}, "12.server"),
    ],
)
def test_auto_knows_schedulers(
    variables: dict[str, str], name: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in variables.items():
        monkeypatch.setenv(key, value)
    # A scheduler's variables make Lightning look for its processes: only the name is of interest.
    from vae_cli.config.compose import compose
    from vae_cli.run.identity import identified

    cfg, run_dir = compose("train", SMALL)
    assert identified(cfg, run_dir, False, True) == f"outputs/digits_vae/{name}"
    assert identified(cfg, run_dir, False, False) is None
    assert identified(cfg, "a/b", True, True) == "a/b"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["resume=auto"], ["resume=auto", "run_id=SOME_NAME"]),
        (["resume=auto", "run_id=../up"], ["run_id=../up", "letters"]),
        (["run_id=.."], ["run_id=..", "letters"]),
        (["logger.version=../../up"], ["logger.version=../../up", "leads out"]),
        (["logger.name=/etc"], ["logger.name=/etc", "leads out"]),
        (["trainer.on_nan=ignore"], ["trainer.on_nan=ignore", "stop, skip"]),
        (["trainer.save_every=0"], ["trainer.save_every=0", "at least 1"]),
        (["trainer.save_minutes=-1"], ["trainer.save_minutes=-1", "above 0"]),
    ],
)
def test_mistakes(
    arguments: list[str], said: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = [text for text in SMALL if not text.startswith("logger") or "logger" not in said[0]]
    assert main([*small, *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert all(part in line for part in said)
    assert not list(here.iterdir())


def test_damaged_checkpoints(
    vae_train: Train, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    straight = vae_train(*SMALL, "trainer.max_steps=30", name="straight")
    run = vae_train(*SMALL, "trainer.save_every=9")
    kept = RunFolder(run)
    assert read_checkpoint(kept.previous)["global_step"] == 18
    content = kept.last.read_bytes()
    kept.last.write_bytes(content[: len(content) // 2])
    vae_train(f"resume={run}", "trainer.max_steps=30")
    said = capsys.readouterr().out
    assert "last.ckpt can't be read" in said and "trying the previous one" in said
    weights = [read_checkpoint(f / "checkpoints/last.ckpt")["state_dict"] for f in (run, straight)]
    assert all(weights[0][name].equal(weights[1][name]) for name in weights[0])
    kept.last.write_bytes(b"")
    kept.previous.write_bytes(content[:100])
    assert main([f"resume={run}", "trainer.max_steps=40"]) == 2
    assert "its checkpoints are damaged" in capsys.readouterr().err


def test_damaged_best_checkpoint(vae_train: Train, capsys: pytest.CaptureFixture[str]) -> None:
    run = RunFolder(vae_train(*SMALL))
    content = run.best.read_bytes()
    run.best.unlink()  # it may be another name of last.ckpt
    run.best.write_bytes(content[:-500])
    run.results.unlink()
    vae_train(f"resume={run.path}")
    said = capsys.readouterr().out
    assert "best.ckpt can't be read" in said and "last.ckpt is tested instead" in said
    assert run.results.is_file()


def test_settings_of_the_optimizer_count(vae_train: Train) -> None:
    brief = [*SMALL, "optimizer/lr_schedule=exponential", "optimizer.lr_schedule.gamma=0.9"]
    run = vae_train(*brief)
    vae_train(f"resume={run}", "trainer.max_steps=25", "optimizer.lr=0.01",
              "optimizer.weight_decay=0.5", "optimizer.lr_schedule.gamma=0.8")  # fmt: skip
    last = read_checkpoint(run / "checkpoints" / "last.ckpt")
    (group,) = last["optimizer_states"][0]["param_groups"]
    # Twenty steps of the old factor, five of the new one, from the new rate.
    assert group["lr"] == pytest.approx(0.01 * 0.9**20 * 0.8**5) and group["weight_decay"] == 0.5
    assert {int(state["step"]) for state in last["optimizer_states"][0]["state"].values()} == {25}


LENGTHS = [
    "optimizer/lr_schedule=cosine",
    "optimizer/lr_schedule=exponential optimizer.lr_schedule.gamma=0.9",
    "optimizer/lr_schedule=multistep optimizer.lr_schedule.milestones=[10,25]",
    "kl_schedule=linear kl_schedule.warmup_steps=30",
    "kl_schedule=cyclical",
]


@pytest.mark.parametrize("options", LENGTHS)
def test_a_longer_run_follows_its_schedules_as_if_it_had_been_longer(
    options: str, vae_train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    brief = [*SMALL, *options.split(), "trainer.log_every=1", "logger=csv"]
    straight = vae_train(*brief, "trainer.max_steps=40", name="straight")
    run = vae_train(*brief)
    capsys.readouterr()
    vae_train(f"resume={run}", "trainer.max_steps=40")
    is_noted = "the rate goes from 0 to 0.0005" in capsys.readouterr().out
    assert is_noted == ("cosine" in options)
    ours, theirs = (last_of(folder, step=20) for folder in (run, straight))
    assert ours == pytest.approx(theirs, rel=1e-6) and len(ours) > 20


def last_of(run: Path, step: int) -> list[float]:
    """Learning rate and KL weight of every step from one on."""
    with (run / "metrics.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["step"]) > step]
    names = ("train/lr", "train/weight")
    return [float(row[name]) for row in rows for name in names if row.get(name)]


def test_another_optimizer_starts_anew(vae_train: Train) -> None:
    run = vae_train(*SMALL, "optimizer=adamax", "optimizer/lr_schedule=cosine")
    vae_train(f"resume={run}", "trainer.max_steps=25", "optimizer=adagrad")
    last = read_checkpoint(run / "checkpoints" / "last.ckpt")
    assert last["optimizer"].lower() == "adagrad" and last["global_step"] == 25


def test_a_changed_default_is_reported_and_not_applied(
    vae_train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    run = vae_train(*SMALL)
    folder = RunFolder(run)
    then = yaml.safe_load(folder.composed.read_text())
    then["optimizer"]["lr"], then["trainer"]["log_every"] = 0.5, 7
    then["of_old"] = 1  # a key that is no more
    folder.composed.write_text(yaml.safe_dump(then))
    vae_train(f"resume={run}", "trainer.max_steps=22", "trainer.log_every=9")
    said = " ".join(capsys.readouterr().out.split())
    assert "optimizer.lr was 0.5 when the run was started. The default is now 0.001" in said
    assert "log_every" not in said and "of_old" not in said
    config: Any = yaml.safe_load(folder.config.read_text())
    assert config["optimizer"]["lr"] == 0.5 and config["trainer"]["log_every"] == 9
    kept = yaml.safe_load(folder.composed.read_text())
    assert kept["optimizer"]["lr"] == 0.5  # and so at the next resume
    assert "trainer.log_every=9" in yaml.safe_load(folder.overrides.read_text())


def test_a_run_that_stopped_early_has_finished(
    vae_train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    small = [text for text in SMALL if "max_steps" not in text]
    early = ("trainer.max_epochs=9", "trainer.patience=1", "optimizer.lr=1e-12")
    run = vae_train(*small, *early, "kl_schedule=constant")
    stopped = steps(run)
    assert stopped < 9 * 14
    vae_train(f"resume={run}")
    assert "has finished" in capsys.readouterr().out and steps(run) == stopped
    vae_train(f"resume={run}", "trainer.patience=null")
    assert steps(run) == 9 * 14


def test_killed_at_the_very_end(vae_train: Train) -> None:
    run = vae_train(*SMALL, "figure=[samples]")
    before = json.loads((run / "results.json").read_text())
    (run / "results.json").unlink()
    vae_train(f"resume={run}")
    after = json.loads((run / "results.json").read_text())
    assert {k: v for k, v in after.items() if k.startswith("test/")} == {
        k: v for k, v in before.items() if k.startswith("test/")
    }
    assert (run / "figures" / "samples.png").is_file()


def test_curves_do_not_depend_on_checkpoints(vae_train: Train) -> None:
    curves = ["logger=csv", "trainer.log_every=4", "metric=[active_units]"]
    small = [text for text in SMALL if not text.startswith(("logger", "metric"))]
    straight = vae_train(*small, *curves, name="straight")
    run = vae_train(*small, *curves, "trainer.save_every=3", name="run")
    kept = RunFolder(run)
    kept.last.write_bytes(kept.previous.read_bytes())  # of step 18, two steps into a point
    kept.results.unlink()
    vae_train(f"resume={run}", "trainer.save_every=null")
    found, expected = read_curves(run, pytest.fail), read_curves(straight, pytest.fail)
    of_clocks = {"train/images_per_second"}
    assert found.keys() - of_clocks == expected.keys() - of_clocks
    for name in expected.keys() - of_clocks:
        assert found[name] == expected[name], name


@pytest.mark.parametrize("logger", ["csv", "tensorboard"])
def test_curves_continue(logger: str, vae_train: Train) -> None:
    """Those of a run that is killed after its last checkpoint, too, without going back."""
    curves = (f"logger={logger}", "trainer.log_every=1", "trainer.save_every=17")
    run = vae_train(*SMALL, *curves)
    kept = RunFolder(run)
    kept.last.write_bytes(kept.previous.read_bytes())  # of step 17, of 20
    kept.results.unlink()
    vae_train(f"resume={run}")
    steps = read_curves(run, pytest.fail)["train/loss"].steps
    assert steps == list(range(1, 21))
    if logger == "tensorboard":
        events = EventAccumulator(str(run), {"images": 0}).Reload()
        assert [event.step for event in events.Scalars("train/loss")] == steps
    else:
        lines = [line.split(",") for line in (run / "metrics.csv").read_text().splitlines()]
        loss, step = lines[0].index("train/loss"), lines[0].index("step")
        assert [int(line[step]) for line in lines[1:] if line[loss]] == steps


def test_no_best_one_is_missed_before_the_first_validation(
    vae_train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunFolder(vae_train(*SMALL, "trainer.save_every=5", "trainer.max_steps=13"))
    early = read_checkpoint(run.previous)
    assert (early["global_step"], early["validated_at"]) == (10, 0)
    run.last.write_bytes(run.previous.read_bytes())
    for path in (run.best, run.results):
        path.unlink()
    vae_train(f"resume={run.path}")
    assert "best.ckpt" not in capsys.readouterr().out and run.best.is_file()
