"""Evaluations that are stored: found without torch, and only while nothing has changed."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from omegaconf import DictConfig, OmegaConf

from vae_cli.commands.eval import main
from vae_cli.commands.train import main as train
from vae_cli.config.compose import compose
from vae_cli.evaluation.answer import state_of, stored_answer
from vae_cli.launch.launch import SHARED_FOLDER
from vae_cli.run.folder import RunFolder

QUICK = ["samples=5", "analysis=[]"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a run of an array of images, which is evaluated."""
    work = tmp_path_factory.mktemp("measured")
    images = np.random.default_rng(0).integers(0, 256, (60, 6, 5), dtype=np.uint8)
    np.save(work / "images.npy", images)
    brief = ["data.batch_size=10", "trainer.max_steps=2", "logger=none", "figure=[]", "metric=[]"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(work)
        patch.delenv(SHARED_FOLDER, raising=False)
        assert train(["data=array", "data.path=images.npy", *brief, "hydra.run.dir=run"]) == 0
        assert main(["run=run", *QUICK]) == 0
    return work


STORED = """
import sys
from vae_cli.commands.compare import main as compare
from vae_cli.commands.eval import main as evaluate
from vae_cli.commands.report import main as report
assert evaluate(["run=run", "samples=5", "analysis=[]"]) == 0
assert compare(["run"]) == 0
assert report(["run=run"]) == 0
heavy = {"torch", "pytorch_lightning", "torchvision", "sklearn", "matplotlib"} & {*sys.modules}
assert not heavy, heavy
"""


def test_stored_answers_come_without_torch(
    measured: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    subprocess.run([sys.executable, "-c", STORED], cwd=measured, check=True, timeout=100)
    shown = capfd.readouterr().out
    elbo = json.loads((measured / "run" / "evaluation.json").read_text())["test"]["elbo"]
    assert shown.count(f"{elbo:.2f}") >= 2 and (measured / "run" / "report.html").exists()


CHANGES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda run: None,
    "weights": lambda run: (run / "checkpoints" / "best.ckpt").write_bytes(b"others"),
    "parts": lambda run: (run / "data.npz").write_bytes((run / "data.npz").read_bytes() + b" "),
    "values": lambda run: (run / "evaluation.npz").write_bytes(b""),
    "versions": lambda run: rewritten(run, '"torch": "', '"torch": "1'),
    "numbers": lambda run: rewritten(run, '"elbo": -', '"elbo": "-1", "e": -'),
    "source": lambda run: rewritten(run, '"files": [', '"files": [7, '),
    # the last one: the file is everybody's
    "images": lambda run: np.save(run.parent / "images.npy", np.ones((60, 6, 5), np.uint8)),
}


def rewritten(run: Path, old: str, new: str) -> None:
    path = run / "evaluation.json"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("change", CHANGES)
def test_a_stored_answer_is_of_the_same_model_and_images(
    change: str, measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(measured)
    run = str(shutil.copytree(measured / "run", tmp_path / "run"))
    cfg = composed()
    assert stored_answer(run, cfg, set())
    for other in ({"seed": 1}, {"split": "train"}, {"device": "gpu"}, {"checkpoint": "last"}):
        assert stored_answer(run, OmegaConf.merge(cfg, other), set()) is None
    more = OmegaConf.merge(cfg, {"metric": {"importance_sampling": {"samples": 6}}})
    assert stored_answer(run, more, set()) is None
    assert stored_answer(run, cfg, {"kl_per_dimension"})
    assert stored_answer(run, cfg, {"reconstruction"}) is None  # the model can't have it
    CHANGES[change](measured / "run" if change == "images" else Path(run))
    assert (stored_answer(run, cfg, set()) is None) == (change != "nothing")
    monkeypatch.chdir(tmp_path)  # where data.path=images.npy is another file
    assert stored_answer(run, cfg, set()) is None


@cache
def composed() -> DictConfig:
    cfg, _ = compose("eval", QUICK)
    OmegaConf.resolve(cfg)
    return cfg


@pytest.mark.parametrize(
    ("change", "is_noticed"),
    [
        (lambda tree: None, False),
        (lambda tree: (tree / "b" / "new.png").touch(), True),
        (lambda tree: (tree / "a" / "0.png").unlink(), True),
        (lambda tree: (tree / "a" / "0.png").write_bytes(b"other"), True),
        (lambda tree: (tree / "c").symlink_to(tree / "a"), True),
    ],
)
def test_a_folder_of_images_is_looked_at(
    change: Callable[[Path], object], is_noticed: bool, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / "tree" / name).mkdir(parents=True)
        (tmp_path / "tree" / name / "0.png").write_bytes(b"pixel")
    (tmp_path / "data.npz").touch()
    cfg, run = composed(), RunFolder(tmp_path)
    places = {"files": [], "tree": str(tmp_path / "tree")}
    before = state_of(cfg, run, places)
    assert before["data"]
    change(tmp_path / "tree")
    assert (state_of(cfg, run, places) != before) == is_noticed
