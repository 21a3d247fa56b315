"""Commands on data that have changed, and on images that a run does not have."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from omegaconf import DictConfig
from PIL import Image

from vae_cli.commands.eval import main as vae_eval
from vae_cli.commands.sample import main as vae_sample
from vae_cli.commands.train import main as vae_train_command
from vae_cli.config.compose import compose
from vae_cli.config.request import Request
from vae_cli.errors import ConfigError
from vae_cli.run.folder import RunFolder
from vae_cli.run.known_data import read_record
from vae_cli.run.resume import keep_settled, resumed_config
from vae_cli.run.subject import load_subject

GENERATOR = np.random.default_rng(0)
PIXELS = GENERATOR.integers(0, 256, (100, 6, 6), np.uint8)
LABELS = np.resize(["A", "B", "C"], 100)
QUICK = ["samples=10", "analysis=[probe]", "metric=[importance_sampling,codes]"]
TRAIN = ("data=array", "data.path=own.npz", "data.batch_size=10", "trainer.max_steps=4")


def save(path: str, pixels: np.ndarray, labels: np.ndarray) -> None:
    np.savez(path, x=pixels, y=labels)


def appended() -> None:
    more = GENERATOR.integers(0, 256, (30, 6, 6), np.uint8)
    save("own.npz", np.concatenate([PIXELS, more]), np.resize(LABELS, 130))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data of a run and the run."""
    folder = tmp_path_factory.mktemp("known")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        save("own.npz", PIXELS, LABELS)
        quick = ["network.hidden_dims=[8]", "latent_dim=2", "figure=[]", "logger=none"]
        assert vae_train_command([*TRAIN, *quick, "hydra.run.dir=run"]) == 0
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, the working directory."""
    import shutil

    shutil.copytree(trained, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy" / "run"


def evaluation(run: Path) -> dict:
    return json.loads((run / "evaluation.json").read_text())


def trained_rows(run: Path) -> set[int]:
    record = read_record(RunFolder(run), "run")
    assert record is not None
    return set(record.digests["train"].tolist())


def test_changed_data_stop_every_command_until_accepted(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    appended()
    commands = [
        (vae_eval, ["run=run", *QUICK]),
        (vae_sample, ["run=run", "what=reconstructions"]),
        (vae_train_command, ["resume=run", "trainer.max_steps=6"]),
    ]
    for command, arguments in commands:
        assert command(arguments) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and "30 images were added" in said
        assert "data.changed=accept" in said
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    known = trained_rows(run)
    accepted = "data.changed=accept"
    assert vae_train_command(["resume=run", "trainer.max_steps=6", accepted]) == 0
    assert known < trained_rows(run)
    told = capsys.readouterr().out
    assert "data       130 grey images with many shades, 6 x 6 x 1, values 0 to 255" in told
    assert "split      10" in told and "model      likelihood=gaussian (scale=shared," in told
    assert "warning: trainer.max_steps=6: makes 6 training steps" in told
    assert vae_train_command(["resume=run", "trainer.max_steps=8"]) == 0  # recorded
    assert vae_eval(["run=run", *QUICK]) == 0
    cfg, _ = compose("eval", ["device=cpu"])
    test = load_subject("run", cfg).splits["test"].images
    assert len(test) == 13 and not known & set(test.digests().tolist())


def test_a_resumed_run_keeps_what_its_data_decided(run: Path) -> None:
    def resumed(*overrides: str) -> DictConfig:
        cfg, *_ = resumed_config(RunFolder(run), Request.of("train", overrides))
        keep_settled(RunFolder(run), cfg)
        return cfg

    cfg = resumed()
    assert (cfg.likelihood.scale, cfg.likelihood.mean) == ("shared", "sigmoid")
    assert cfg.data.suggests.max_epochs == 250  # of 80 images in batches of 10
    cfg = resumed("likelihood=gaussian")
    assert (cfg.likelihood.scale, cfg.likelihood.mean) == ("learned", "identity")
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text.replace("scale: shared", "scale: ${oc.env:HOME}"))
    with pytest.raises(ConfigError, match="is not a plain value"):
        resumed()


def test_reordered_and_moved_data_are_the_same(run: Path) -> None:
    assert vae_eval(["run=run", *QUICK]) == 0
    first = evaluation(run)["test"]
    order = GENERATOR.permutation(100)
    save("moved.npz", PIXELS[order], LABELS[order])
    Path("own.npz").unlink()
    (run / "evaluation.json").unlink()
    assert vae_eval(["run=run", "data.path=moved.npz", *QUICK]) == 0
    found = evaluation(run)["test"]
    assert found.pop("source") != first.pop("source")  # other files
    assert found == first


def test_given_images_are_all_measured_with_their_names_and_classes(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = GENERATOR.integers(0, 256, (10, 6, 6), np.uint8)
    save("new.npz", np.concatenate([new, PIXELS[:2]]), np.resize(["B", "C", "D"], 12))
    assert vae_eval(["run=run", "data.path=new.npz", *QUICK]) == 0
    told = capsys.readouterr().out
    assert "new.npz has other images than the run: 12 are taken, of which" in told
    assert "classes that the run does not know count as unlabelled: D" in told
    assert "classes of the run that are missing here: A" in told
    found = evaluation(run)
    assert found.keys() == {"given"} and found["given"]["images"] == 12
    assert "linear_probe_accuracy" in found["given"]  # fitted to the run's own images
    with np.load(run / "evaluation.npz") as stored:
        assert stored["given/name"].tolist() == list(range(12))
        assert stored["given/label"].tolist() == [1, 2, -1] * 4
        assert stored["given/codes"].shape == (12, 2)
        assert stored["given/log_likelihood"].shape == (12,)


def test_without_the_runs_own_images_the_rest_is_measured(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("own.npz").unlink()
    save("new.npz", GENERATOR.integers(0, 256, (3, 6, 6), np.uint8), np.array(["A", "B", "C"]))
    assert vae_eval(["run=run", "data.path=new.npz", *QUICK]) == 0
    told = capsys.readouterr().out
    assert "nothing is fitted to the run's own images" in told
    assert "3 images are too few for reliable standard errors" in told
    assert "linear_probe_accuracy" not in evaluation(run)["given"]


def test_one_image_has_no_error(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save("new.npz", PIXELS[:1] // 2, LABELS[:1])
    assert vae_eval(["run=run", "data.path=new.npz", *QUICK]) == 0
    told = capsys.readouterr().out
    assert "one image gives no standard error" in told and "± 0.0" not in told
    errors = [value for key, value in evaluation(run)["given"].items() if key.endswith("_se")]
    assert errors and not any(errors[:1])


def test_images_of_a_folder_keep_their_file_names(
    vae_train: Callable[..., Path], tmp_path: Path
) -> None:
    for number, pixels in enumerate(PIXELS[:60]):
        folder = tmp_path / "own" / "ABC"[number % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
    run = vae_train("data=image_folder", "data.root=own", "trainer.max_steps=4", "figure=[]")
    assert vae_eval([f"run={run}", "split=train", *QUICK]) == 0
    with np.load(run / "evaluation.npz") as stored:
        names, labels = stored["train/name"], stored["train/label"]
        assert len(names) == 48 and names[0].endswith(".png")
        assert [name[0] for name in names] == ["ABC"[label] for label in labels]


def test_features_of_other_parts_are_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    appended()  # another split
    train = [text.replace("batch_size=10", "batch_size=20") for text in TRAIN]
    assert vae_train_command([*train, "model=m1_m2", "model.m1=run", "hydra.run.dir=two"]) == 2
    said = capsys.readouterr().err
    assert "model.m1=run: was trained on" in said and "of the 13 validation images" in said
    assert not Path("two").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04"])
def test_damaged_record_is_reported(
    run: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (run / "data.npz").write_bytes(content)
    for command, arguments in (
        (vae_eval, ["run=run", *QUICK]),
        (vae_train_command, ["resume=run", "trainer.max_steps=6"]),
    ):
        assert command(arguments) == 2
        assert "its data.npz is damaged" in capsys.readouterr().err
    (run / "data.npz").unlink()  # as of a version that kept none
    assert vae_eval(["run=run", *QUICK]) == 0
