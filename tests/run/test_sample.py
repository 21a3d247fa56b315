"""vae-sample, from a run's folder to its pictures."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from vae_cli.commands.report import main as report
from vae_cli.commands.sample import main
from vae_cli.commands.train import main as train
from vae_cli.figure.base import STRIP
from vae_cli.run import pictures
from vae_cli.run.folder import SHARED_FOLDER

MAGIC = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "npz": b"PK", "gif": b"GIF89a"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of two runs, of two and of three latent dimensions."""
    work = tmp_path_factory.mktemp("trained")
    brief = ["trainer.max_epochs=1", "logger=none", "figure=[]", "metric=[]"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(work)
        patch.delenv(SHARED_FOLDER, raising=False)
        assert train([*brief, "hydra.run.dir=plane"]) == 0
        assert train([*brief, "latent_dim=3", "hydra.run.dir=space"]) == 0
    return work


@pytest.fixture
def runs(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, which is the current one."""
    shutil.copytree(trained, tmp_path / "runs")
    monkeypatch.chdir(tmp_path / "runs")
    return tmp_path / "runs"


@pytest.mark.parametrize("kind", MAGIC)
def test_formats(kind: str, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run=plane", "what=traversals,interpolations", f"format={kind}"]) == 0
    for name in ("traversals", "interpolations"):
        path = Path("plane", "figures", f"{name}.{kind}")
        assert path.read_bytes().startswith(MAGIC[kind])
        assert str(path) in capsys.readouterr().out or name == "interpolations"
    assert len(list((runs / "plane" / "figures").iterdir())) == 2


def test_numbers_are_those_drawn(runs: Path) -> None:
    assert main(["run=plane", "what=samples", "format=npz", "figure.samples.rows=3"]) == 0
    with np.load("plane/figures/samples.npz") as arrays:
        assert arrays["z"].shape == (9, 2) and arrays["x"].shape == (9, 1, 8, 8)
        first = arrays["z"]
    assert main(["run=plane", "what=samples", "format=npz", "figure.samples.rows=3"]) == 0
    with np.load("plane/figures/samples.npz") as arrays:
        np.testing.assert_array_equal(arrays["z"], first)
    assert main(["run=plane", "what=samples", "format=npz", "seed=1"]) == 0
    with np.load("plane/figures/samples.npz") as arrays:
        assert not np.array_equal(arrays["z"][:9], first)


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_pictures_of_two_runs_in_one(kind: str, runs: Path) -> None:
    both = ["what=samples,latent_map", f"format={kind}"]
    assert main(["run=plane", "beside=space", *both, "output=o"]) == 0
    assert sorted(path.name for path in Path("o").iterdir()) == [
        f"latent_map.{kind}", f"samples.{kind}",
    ]  # fmt: skip
    if kind != "png":
        return
    assert main(["run=plane", *both, "output=left"]) == 0
    assert main(["run=space", *both, "output=right"]) == 0
    images = [np.asarray(Image.open(f"{d}/samples.png").convert("L")) for d in ("left", "right")]
    pair = np.asarray(Image.open("o/samples.png").convert("L"))
    height, width = images[0].shape
    assert pair.shape[1] == width + images[1].shape[1] and pair.shape[0] > height
    top = pair.shape[0] - height
    parts = (pair[top:, :width], pair[top:, width:])
    near, far = ([_distance(image, part) for part in parts] for image in images)
    assert near[0] < near[1] / 3 and far[1] < far[0] / 3


def _distance(image: np.ndarray, part: np.ndarray) -> float:
    """Mean difference of two pictures of one size; a row of pixels may be lost to rounding."""
    inner, height = image[1:-1].astype(int), len(image)
    return min(abs(inner - part[1 + shift : height - 1 + shift]).mean() for shift in (0, -1))


def test_numbers_of_two_runs_in_one(runs: Path) -> None:
    assert main(["run=plane", "beside=space", "what=samples", "format=npz", "output=o"]) == 0
    with np.load("o/samples.npz") as arrays:
        assert arrays["z"].shape == (100, 2) and arrays["beside_z"].shape == (100, 3)
    assert not Path("space", "figures", "samples.npz").exists()


def test_what_has_another_run_beside_is_not_the_runs_own(runs: Path) -> None:
    assert main(["run=plane", "what=samples"]) == 0
    figures = Path("plane/figures")
    own = (figures / "samples.png").read_bytes()
    assert report(["run=plane"]) == 0
    page = Path("plane/report.html").read_bytes()
    for beside in ("space", "space/", "../runs/space"):
        assert main(["run=plane", f"beside={beside}", "what=samples"]) == 0
    assert (figures / "samples.png").read_bytes() == own
    made = sorted(str(path.relative_to(figures)) for path in figures.rglob("*"))
    assert made == ["beside_space", "beside_space/samples.png", "samples.png"]
    assert report(["run=plane"]) == 0
    assert Path("plane/report.html").read_bytes() == page


def test_animation(runs: Path) -> None:
    assert main(["run=space", "what=traversals", "format=gif", "output=elsewhere"]) == 0
    with Image.open("elsewhere/traversals.gif") as moving:
        assert moving.n_frames == 20
        assert moving.width >= 300


def test_what_does_not_move_shows_its_training(runs: Path, vae_train: Callable[..., Path]) -> None:
    brief = ("logger=tensorboard", "figure=[samples,manifold]", "trainer.max_epochs=4")
    run = vae_train(*brief, "latent_dim=2")
    assert main([f"run={run}", "what=samples,manifold", "format=gif", "output=o"]) == 0
    logged = EventAccumulator(str(run), {"images": 0}).Reload()
    for name in ("samples", "manifold"):
        steps = [event.step for event in logged.Images(f"pictures/{name}")]
        assert steps[:2] == [0, 22] and steps[-1] == 88
        with Image.open(f"o/{name}.gif") as moving:
            assert moving.n_frames == len(steps)
            assert moving.width >= 400
            first = np.asarray(moving.convert("L"))
            moving.seek(len(steps) - 1)
            last = np.asarray(moving.convert("L"))
        assert (first[STRIP:] != last[STRIP:]).mean() > 0.1  # the model has changed
        assert (first[:STRIP] != last[:STRIP]).any()  # and so has the step


@pytest.mark.parametrize("count", [1, 7, 20])
def test_many_samples_in_one_file(count: int, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "CHUNK", 7)
    decoded: list[int] = []
    chunks = pictures.sample_chunks

    def spy(*args: object) -> object:
        for z, x in chunks(*args):  # type: ignore[arg-type]
            decoded.append(len(x))
            yield z, x

    monkeypatch.setattr(pictures, "sample_chunks", spy)
    assert main(["run=space", "what=samples", f"count={count}", "format=npz", "output=o"]) == 0
    assert max(decoded) <= 7 and sum(decoded) == count
    with np.load("o/samples.npz") as arrays:
        assert arrays["z"].shape == (count, 3) and arrays["x"].shape == (count, 1, 8, 8)
        assert 0 <= arrays["x"].min() <= arrays["x"].max() <= 1
        from vae_cli.run.checkpoint import load_model

        model, _ = load_model("space/checkpoints/best.ckpt")
        with torch.no_grad():
            expected = model.eval().decode(torch.from_numpy(arrays["z"])).mean
        np.testing.assert_allclose(arrays["x"], expected.numpy(), atol=1e-6)


def test_many_samples_in_a_folder(runs: Path) -> None:
    assert main(["run=plane", "what=samples", "count=12", "output=o"]) == 0
    paths = sorted(Path("o/samples").iterdir())
    assert [p.name for p in paths] == [f"{i:06}.png" for i in range(12)]
    with Image.open(paths[3]) as image:
        assert image.size == (8, 8)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], [" run and what: not given. Try run=RUN_DIR what=samples."]),
        (["run=plane", "count=50", "format=npz"], [" what: not given. Try what=samples."]),
        (["run=plane", "what="], [" what: not given. Try what=samples."]),
        (["what=samples"], [" run: not given. Try run=RUN_DIR."]),
        (["run=nowhere", "what=samples"], ["run=nowhere", "no such folder"]),
        (["run=plane", "what=sampels"], ["what=sampels", "what=samples?"]),
        (["run=space", "what=samples,manifold"], ["what=manifold", "two latent dimensions"]),
        (
            ["run=plane", "what=samples", "format=gif"],
            ["format=gif", "does not move", "logged no pictures"],
        ),
        (["run=plane", "what=samples", "beside=nowhere"], ["beside=nowhere", "no such folder"]),
        (
            ["run=plane", "what=manifold", "beside=space"],
            ["beside=space", "manifold", "two latent dimensions"],
        ),
        (["run=plane", "what=samples", "beside=space", "count=3"], ["beside=space", "png, svg"]),
        (
            ["run=plane", "what=traversals", "beside=space", "format=gif"],
            ["beside=space", "png, svg"],
        ),
        (["run=plane", "what=vector_field"], ["what=vector_field", "data=circles"]),
        (["run=plane", "what=samples", "format=bmp"], ["format=bmp", "png, svg"]),
        (["run=plane", "what=samples", "count=0"], ["count=0", "at least 1"]),
        (["run=plane", "what=samples", "label=3"], ["label=3", "goes with count", "count=100"]),
        (["run=plane", "what=samples", "count=2", "label=3"], ["label=3", "semi-supervised"]),
        (["run=plane", "what=traversals", "count=3"], ["count=3", "what=samples"]),
        (["run=plane", "what=samples", "figure.samples.rows=0"], ["rows=0", "at least 1"]),
        (
            ["run=plane", "what=samples", "figure.samples.temperature=0"],
            ["temperature=0", "above 0"],
        ),
        (["run=plane", "what=samples", "figure.samples.heat=1"], ["heat=1", "no such key"]),
        (["run=plane", "what=samples", "output=plane/config.yaml"], ["output=plane/config.yaml"]),
        (["run=plane", "what=samples", "--nope"], ["--nope", "Try --help"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_mistakes_are_told_in_one_line(
    arguments: list[str], said: list[str], runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(runs.rglob("*"))
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vae-sample: ")
    for part in said:
        assert part in line
    assert sorted(runs.rglob("*")) == before


def test_help_names_every_picture(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for word in ("samples", "traversals", "interpolations", "manifold", "format", "count"):
        assert word in shown
