"""vae-finetune, from a run's folder to its numbers."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vae_cli.analysis.probe import Probe
from vae_cli.commands.finetune import main
from vae_cli.commands.train import main as train
from vae_cli.data.digits import load
from vae_cli.data.labels import keep_labels
from vae_cli.evaluation import finetune
from vae_cli.launch.launch import SHARED_FOLDER
from vae_cli.run.subject import Subject, load_subject, load_trained

QUICK = ["steps=30", "hidden_dims=[16]", "device=cpu"]
CONDITIONS = {
    "data", "binarize", "dequantize", "split", "images", "images_sha256", "checkpoint",
    "checkpoint_sha256", "seed", "device", "versions", "labels", "labelled_images", "label_seed",
    "freeze", "hidden_dims", "steps", "batch_size", "lr",
}  # fmt: skip
RUNS = {  # by name: how they are trained
    "plain": [],
    "flow": ["model=flow", "likelihood=gaussian", "latent_dim=3"],
    "few": ["model=m2", "data.labels=20", "objective.labelled_fraction=0.5", "latent_dim=3"],
    "unlabelled": ["data=array", "data.path=unlabelled.npy", "data.binarize=dynamic"],
    "partly": ["data=array", "data.path=partly.npz", "data.binarize=dynamic"],
    "alike": ["data=array", "data.path=alike.npz", "data.binarize=dynamic"],
}
COMPARED = ("trained_encoder", "from_scratch", "linear_probe")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of several runs."""
    work = tmp_path_factory.mktemp("trained")
    brief = ["trainer.max_epochs=2", "logger=none", "figure=[]", "metric=[]", "data.batch_size=50",
             "trainer.progress=false", "network.hidden_dims=[32]"]  # fmt: skip
    images = np.random.default_rng(0).random((200, 4, 4), dtype=np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(work)
        patch.setenv("VAE_CLI_CONF", "")
        np.save("unlabelled.npy", images)
        np.savez("partly.npz", train=images[:100], validation=images[100:150], test=images[150:],
                 train_labels=np.arange(100) % 2)  # fmt: skip
        np.savez("alike.npz", images=images, labels=np.zeros(200, np.int64))
        for name, overrides in RUNS.items():
            patch.delenv(SHARED_FOLDER, raising=False)
            assert train([*brief, *overrides, f"hydra.run.dir={name}"]) == 0
    return work


@pytest.fixture
def runs(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, which is the current one."""
    shutil.copytree(trained, tmp_path / "runs")
    monkeypatch.chdir(tmp_path / "runs")
    monkeypatch.setenv("VAE_CLI_CONF", "")
    return tmp_path / "runs"


@pytest.fixture
def subjects(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Subject, dict[str, Tensor]]]:
    """What the command worked on, and the weights that it found."""
    seen: list[tuple[Subject, dict[str, Tensor]]] = []

    def spy(*args: Any) -> Subject:
        subject = load_trained(*args)
        seen.append((subject, {k: v.clone() for k, v in subject.model.state_dict().items()}))
        return subject

    monkeypatch.setattr(finetune, "load_trained", spy)
    return seen


def records(folder: Path) -> dict[str, dict[str, Any]]:
    return json.loads((folder / "finetune.json").read_text(encoding="utf-8"))


def changed(seen: tuple[Subject, dict[str, Tensor]]) -> set[str]:
    subject, before = seen
    after = subject.model.state_dict()
    return {name for name, value in before.items() if not torch.equal(value, after[name])}


@pytest.mark.parametrize("name", ["plain", "flow", "few"])
@pytest.mark.parametrize("freeze", [True, False])
def test_numbers_and_what_they_depend_on(
    name: str, freeze: bool, runs: Path, subjects: list[tuple[Subject, dict[str, Tensor]]]
) -> None:
    assert main([f"run={name}", "labels=30", f"freeze={freeze}", *QUICK]) == 0
    key = f"labels=30,label_seed=0,freeze={str(freeze).lower()},seed=0"
    ((setting, found),) = records(runs / name).items()
    assert setting == key and found.keys() >= CONDITIONS
    assert found["split"] == "test" and found["images"] == 180 and found["labelled_images"] == 30
    assert found["binarize"] == ("none" if name == "flow" else "dynamic")
    for classifier in COMPARED:
        p, error = (found[f"{classifier}_accuracy{suffix}"] for suffix in ("", "_se"))
        assert 0 < p < 1 and error == pytest.approx((p * (1 - p) / 180) ** 0.5)
        assert (p * 180) == pytest.approx(round(p * 180))
    for classifier in COMPARED[:2]:
        assert 1 <= found[f"{classifier}_step"] <= 30
        assert found[f"{classifier}_epoch"] == found[f"{classifier}_step"]  # a batch of all 30
    weights = changed(subjects[0])
    encoders = {"encoder", "classifier"} if name == "few" else {"encoder"}
    assert {weight.partition(".")[0] for weight in weights} == (set() if freeze else encoders)


def test_labels_are_those_that_training_would_keep(
    runs: Path, subjects: list[tuple[Subject, dict[str, Tensor]]]
) -> None:
    for arguments in (["labels=20"], ["labels=20", "label_seed=3"], ["labels=all"]):
        assert main(["run=few", *arguments, *QUICK]) == 0
    known = [subject.splits["train"].images.labels for subject, _ in subjects]
    of_the_run = load_subject("few", subject_cfg()).splits["train"].images.labels
    assert torch.equal(known[0], of_the_run)
    assert torch.equal(known[1], keep_labels(load(), 20, 3).train.labels)
    assert torch.equal(known[2], load().train.labels)
    settings = list(records(runs / "few"))
    assert settings == ["labels=20,label_seed=0,freeze=true,seed=0",
                        "labels=20,label_seed=3,freeze=true,seed=0",
                        "labels=all,freeze=true,seed=0"]  # fmt: skip


def subject_cfg() -> Any:
    from vae_cli.config.compose import compose

    return compose("eval", ["device=cpu"])[0]


def test_linear_probe_is_vae_evals(runs: Path) -> None:
    assert main(["run=plain", *QUICK]) == 0
    subject = load_subject("plain", subject_cfg())
    expected = Probe(images=10_000).numbers(subject.model, subject.splits, "test")
    (found,) = records(runs / "plain").values()
    for key in ("linear_probe_accuracy", "linear_probe_accuracy_se"):
        assert found[key] == expected[key]


def test_the_same_again_is_shown_and_not_trained(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run=flow", "labels=30", "freeze=false", *QUICK]
    assert main(arguments) == 0
    first = capsys.readouterr().out
    found = records(runs / "flow")
    (runs / "flow" / "finetune.json").unlink()
    assert main(arguments) == 0  # trained anew
    assert records(runs / "flow") == found
    with monkeypatch.context() as patch:
        patch.setattr(finetune, "train_on_labels", None)
        capsys.readouterr()
        assert main(arguments) == 0
    again = capsys.readouterr().out
    table = first[first.index("180 images") :]
    assert table in again
    for part in ("digits test", "30 labels (label seed 0)", "finetuned", "linear probe", " ± "):
        assert part in table
    assert main([*arguments, "lr=3e-3"]) == 0  # takes the place of the first
    ((setting, other),) = records(runs / "flow").items()
    assert setting in found and other["lr"] == 3e-3


def test_fresh_weights_and_head_depend_on_the_seed_alone(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[dict[str, Tensor]] = []
    own = finetune.train_on_labels

    def spy(network: nn.Module, *others: Any) -> Any:
        starts.append({name: value.clone() for name, value in network.state_dict().items()})
        return own(network, *others)

    monkeypatch.setattr(finetune, "train_on_labels", spy)
    for seed in (0, 1):
        assert main(["run=plain", "freeze=false", f"seed={seed}", "labels=30", *QUICK]) == 0
    scratch, trained, other, again = starts
    heads = [{n: v for n, v in start.items() if n.startswith("head.layers.")} for start in starts]
    assert all(torch.equal(heads[0][name], heads[1][name]) for name in heads[0])
    assert not torch.equal(heads[0]["head.layers.layers.0.weight"],
                           heads[2]["head.layers.layers.0.weight"])  # fmt: skip
    name = "encoder.encoder.layers.0.weight"
    assert not torch.equal(scratch[name], trained[name])
    assert not torch.equal(scratch[name], other[name])
    assert torch.equal(trained[name], again[name])


def test_several_runs_make_a_table(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree("plain", "copy")
    assert main(["run=plain,copy,flow", "labels=30", *QUICK]) == 0
    output = capsys.readouterr().out
    tables = output[output.rindex("flow/finetune.json") :]
    assert tables.count("head alone") == tables.count("linear probe") == 2  # binary, and grey
    rows = [line.split() for line in tables.splitlines() if "±" in line]
    assert [row[0] for row in rows] == ["plain", "copy", "flow"] and rows[0][1:] == rows[1][1:]


def test_interrupted_it_leaves_nothing_half_written(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(runs.rglob("*"))
    with monkeypatch.context() as patch:
        patch.setattr("vae_cli.training.supervised.cross_entropy", interrupt)
        assert main(["run=plain", "labels=30", *QUICK]) == 130
    assert capsys.readouterr().err == "vae-finetune: interrupted\n"
    assert sorted(runs.rglob("*")) == before


def interrupt(*_: Any) -> Tensor:
    raise KeyboardInterrupt


MISTAKES: list[tuple[list[str], list[str]]] = [
    ([], ["run", "Try vae-finetune run="]),
    (["run=nowhere"], ["run=nowhere", "no such folder"]),
    (["run=plain,nowhere"], ["run=nowhere", "no such folder"]),
    (["run=nowhere/*"], ["run=nowhere/*", "pattern"]),
    (["run=."], ["run=.", "is not a run, but holds"]),
    (["run=plain", "labels=abc"], ["labels=abc", "whole number of at least 1 or all", "=all."]),
    (["run=plain", "labels=0"], ["labels=0", "at least 1"]),
    (["run=plain", "labels=null"], ["labels=null", "Try labels=all"]),
    (["run=plain", "labels=9"], ["labels=9", "each of the 10 classes", "Try labels=10."]),
    (["run=plain", "labels=2000"], ["labels=2000", "only 1437", "keeps all."]),
    (["run=plain", "labels=1437"], ["labels=1437", "class 0 has only 135", "Try labels=1350."]),
    (["run=plain", "labels=100,1000"], ["labels=100,1000"]),
    (["run=unlabelled"], ["labels=all", "the set has no labels", "Label some images"]),
    (["run=unlabelled", "labels=9"], ["labels=9", "no labels. Label some images of each class."]),
    (["run=partly"], ["run=partly", "no validation image has a label"]),
    (["run=alike"], ["labels=all", "one class"]),
    (["run=plain", "label=10"], ["label=10", "no such key", "labels=10?"]),
    (["run=plain", "label_seed=-1"], ["label_seed=-1", "at least 0"]),
    (["run=plain", "freeze=maybe"], ["freeze=maybe", "true or false"]),
    (["run=plain", "hidden_dims=[0]"], ["hidden_dims=[0]", "at least 1"]),
    (["run=plain", "hidden_dims=9"], ["hidden_dims=9", "a list"]),
    (["run=plain", "steps=0"], ["steps=0", "at least 1"]),
    (["run=plain", "batch_size=0"], ["batch_size=0", "at least 1"]),
    (["run=plain", "lr=0"], ["lr=0", "above 0"]),
    (["run=plain", "lr=1e30", "steps=3"], ["NaN or infinite", "Try a smaller lr"]),
    (["run=plain", "seed=-1"], ["seed=-1", "at least 0"]),
    (["run=plain", "checkpoint=worst"], ["checkpoint=worst", "best, last"]),
    (["run=plain", "device=gpu"], ["device=gpu", "Try device=cpu"]),
    (["run=plain", "data.root=x"], ["data.root=x", "no root"]),
    (["run=plain", "split=test"], ["split=test", "no such key"]),
    (["run=empty"], ["run=empty", "no best.ckpt", "Try vae-train resume=empty"]),
    (["run=broken"], ["run=broken", "best.ckpt can't be read", "checkpoint=last"]),
    (["run=foreign"], ["_target_=os.system", "trust=true"]),
    (["plain"], ["plain", "key=value"]),
    (["run=plain", "--nope"], ["--nope", "Try --help"]),
]


@pytest.mark.parametrize(("arguments", "said"), MISTAKES, ids=lambda value: " ".join(value))
def test_mistakes_are_reported_in_one_line(
    arguments: list[str],
    said: list[str],
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if "device=gpu" in arguments and torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    monkeypatch.chdir(trained)
    monkeypatch.setenv("VAE_CLI_CONF", "")
    for name, change in SPOILED.items():
        if not Path(name).exists() and arguments == [f"run={name}"]:
            shutil.copytree("plain", name)
            change(Path(name))
    before = sorted(trained.rglob("*"))
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vae-finetune: ")
    for part in said:
        assert part in line
    assert sorted(trained.rglob("*")) == before


def empty(run: Path) -> None:
    for path in (run / "checkpoints").iterdir():
        path.unlink()


def foreign(run: Path) -> None:
    path = run / "checkpoints" / "best.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    config = checkpoint["config"].replace("vae_cli.data.digits.load", "os.system")
    torch.save(checkpoint | {"config": config}, path)


SPOILED: dict[str, Callable[[Path], Any]] = {
    "empty": empty,
    "broken": lambda run: (run / "checkpoints" / "best.ckpt").write_bytes(b"no checkpoint"),
    "foreign": foreign,
}


def test_help_names_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for key in ("run", "labels", "label_seed", "freeze", "hidden_dims", "steps", "batch_size",
                "lr", "seed", "checkpoint", "device", "data.root", "trust"):  # fmt: skip
        assert f"\n  {key}" in shown
