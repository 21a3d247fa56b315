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
from vae_cli.errors import ConfigError
from vae_cli.evaluation import samples
from vae_cli.figure.sheet import STRIP
from vae_cli.launch.launch import SHARED_FOLDER
from vae_cli.run import subject

MAGIC = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "npz": b"PK", "gif": b"GIF89a"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of two runs, of two and of three latent dimensions, and of one of other images."""
    work = tmp_path_factory.mktemp("trained")
    brief = ["trainer.max_epochs=1", "logger=none", "figure=[]", "metric=[]"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(work)
        patch.delenv(SHARED_FOLDER, raising=False)
        assert train([*brief, "hydra.run.dir=plane"]) == 0
        assert train([*brief, "latent_dim=3", "hydra.run.dir=space"]) == 0
        few = ["data=circles", "network.hidden_dims=[4]", "trainer.max_steps=1"]
        assert train([*brief[1:], *few, "hydra.run.dir=other"]) == 0
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
    found = []
    for more, marks in (
        ([], "_rows-3"), ([], "_rows-3"), (["seed=1"], "_seed-1_rows-3"),
        (["draw=true"], "_rows-3_draw-true"),
    ):  # fmt: skip
        what = ["what=samples", "format=npz", "figure.samples.rows=3", *more]
        assert main(["run=plane", *what]) == 0
        with np.load(f"plane/figures/samples{marks}.npz") as arrays:
            found.append((arrays["z"], arrays["x"]))
    (z, x), again, (other, _), (same, drawn) = found
    assert z.shape == (9, 2) and x.shape == (9, 1, 8, 8)
    np.testing.assert_array_equal(again[0], z)
    assert not np.array_equal(other, z)
    np.testing.assert_array_equal(same, z)
    assert set(np.unique(drawn)) == {0.0, 1.0} != set(np.unique(x))


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_pictures_of_several_runs_in_one(kind: str, runs: Path) -> None:
    what = ["what=samples,reconstructions,latent_map", f"format={kind}", "output=o"]
    assert main(["run=plane,space", *what]) == 0
    names = [f"{name}.{kind}" for name in ("latent_map", "reconstructions", "samples")]
    assert sorted(path.name for path in Path("o").iterdir()) == names


def test_numbers_of_several_runs_in_one(runs: Path) -> None:
    assert main(["run=pl*,space", "what=samples", "format=npz", "output=o"]) == 0
    with np.load("o/samples.npz") as arrays:
        assert arrays["plane_z"].shape == (100, 2) and arrays["space_z"].shape == (100, 3)
    assert not Path("space", "figures", "samples.npz").exists()


def test_what_shows_another_run_is_not_the_runs_own(runs: Path) -> None:
    assert main(["run=plane", "what=samples"]) == 0
    figures = Path("plane/figures")
    own = (figures / "samples.png").read_bytes()
    assert report(["run=plane"]) == 0
    page = Path("plane/report.html").read_bytes()
    for other in ("space/", "../runs/space"):
        assert main([f"run=plane,{other}", "what=samples"]) == 0
        assert (figures / "samples.png").read_bytes() == own
    made = sorted(str(path.relative_to(figures)) for path in figures.rglob("*"))
    assert made == ["samples.png", "with_space", "with_space/samples.png"]
    assert report(["run=plane"]) == 0
    assert Path("plane/report.html").read_bytes() == page


def test_what_needs_no_images_does_without_them(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: object) -> None:
        raise ConfigError("data.root", "away", "is not there")

    what = ["what=samples,manifold", "figure.samples.rows=2", "figure.manifold.rows=2"]
    assert main(["run=plane", *what, "output=there"]) == 0
    monkeypatch.setattr(subject, "load_data", missing)
    assert main(["run=plane", *what, "output=away"]) == 0
    for name in ("samples_rows-2.png", "manifold_rows-2.png"):
        assert Path("there", name).read_bytes() == Path("away", name).read_bytes()
    assert main(["run=plane", "what=samples", "count=2", "output=away"]) == 0
    capsys.readouterr()
    assert main(["run=plane", "what=samples,reconstructions", "output=nothing"]) == 2
    assert "data.root=away: is not there." in capsys.readouterr().err
    assert not Path("nothing").exists()


@pytest.mark.parametrize("form", ["png", "svg", "pdf", "npz", "gif"])
@pytest.mark.parametrize("count", [[], ["count=3"]], ids=["picture", "samples"])
def test_only_our_own_pictures_are_replaced(
    form: str, count: list[str], runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if count and form not in ("png", "npz"):
        return
    drawn = ["what=traversals", "figure.traversals.steps=2"] if form == "gif" else ["what=samples"]
    what = ["run=space", *drawn, f"format={form}", *count]
    for _ in range(2):
        assert main([*what, "output=o"]) == 0
    made = next(path for path in sorted(Path("o").rglob("*")) if path.is_file())
    mine = Path("mine", *made.parts[1:])
    mine.parent.mkdir(parents=True)
    mine.write_bytes(made.read_bytes()[:50])
    capsys.readouterr()
    assert main([*what, "output=mine"]) == 2
    assert "is there already, and not " in capsys.readouterr().err
    assert mine.stat().st_size == 50
    assert main([*what, f"output=one.{form}"]) == 2
    assert "must be a folder. Try output=one." in capsys.readouterr().err


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
    monkeypatch.setattr(samples, "CHUNK", 7)
    decoded: list[int] = []
    chunks = samples.sample_chunks

    def spy(*args: object) -> object:
        for z, x in chunks(*args):  # type: ignore[arg-type]
            decoded.append(len(x))
            yield z, x

    monkeypatch.setattr(samples, "sample_chunks", spy)
    assert main(["run=space", "what=samples", f"count={count}", "format=npz", "output=o"]) == 0
    assert max(decoded) <= 7 and sum(decoded) == count
    with np.load(f"o/samples_count-{count}.npz") as arrays:
        assert arrays["z"].shape == (count, 3) and arrays["x"].shape == (count, 1, 8, 8)
        assert 0 <= arrays["x"].min() <= arrays["x"].max() <= 1
        from vae_cli.run.checkpoint import load_model

        model, _ = load_model("space/checkpoints/best.ckpt")
        with torch.no_grad():
            expected = model.eval().decode(torch.from_numpy(arrays["z"])).mean
        np.testing.assert_allclose(arrays["x"], expected.numpy(), atol=1e-6)


def test_many_samples_in_a_folder(runs: Path) -> None:
    assert main(["run=plane", "what=samples", "count=12", "output=o"]) == 0
    paths = sorted(Path("o/samples_count-12").iterdir())
    assert [p.name for p in paths] == [f"{i:06}.png" for i in range(12)]
    with Image.open(paths[3]) as image:
        assert image.size == (8, 8)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], [" run and what: required. Try run=RUN_DIR what=samples."]),
        (["run=plane", "count=50", "format=npz"], [" what: required. Try what=samples."]),
        (["run=plane", "what="], [" what: required. Try what=samples."]),
        (["what=samples"], [" run: needs the folder of a run. Try vae-sample run=last."]),
        (["run=nowhere", "what=samples"], ["run=nowhere", "no such folder"]),
        (["run=plane", "what=sampels"], ["what=sampels", "what=samples?"]),
        (["run=space", "what=samples,manifold"], ["what=manifold", "two latent dimensions"]),
        (
            ["run=plane", "what=samples", "format=gif"],
            ["format=gif", "has no frames", "logged no pictures"],
        ),
        (["run=plane,nowhere", "what=samples"], ["run=nowhere", "no such folder"]),
        (["run=plane,space", "what=manifold"], ["run=space", "manifold", "two latent dimensions"]),
        (["run=plane,space", "what=samples", "count=3"], ["count=3", "works with one run"]),
        (
            ["run=plane,space", "what=traversals", "format=gif"],
            ["format=gif", "works with one run"],
        ),
        (
            ["run=plane,other", "what=reconstructions"],
            ["run=other", "other test images than plane"],
        ),
        (["run=plane", "what=samples", "beside=space"], ["beside=space", "run=plane,space"]),
        (["run=plane", "what=samples", "from=1", "to=2"], ["from=1", "needs what=interp"]),
        (["run=plane", "what=interpolations", "from=1"], ["from=1", "the other end", "to="]),
        (["run=plane", "what=interpolations", "from=1", "to=999"], ["to=999", "Try 0 to 179"]),
        (
            ["run=plane", "what=interpolations", "from=1", "to=plane/config.yaml"],
            ["to=plane/config.yaml", "can't be read as an image"],
        ),
        (["run=plane", "what=samples", "draw=maybe"], ["draw=maybe", "true or false"]),
        (["run=plane", "what=vector_field"], ["what=vector_field", "draws points of the plane"]),
        (["run=plane", "what=samples", "format=bmp"], ["format=bmp", "png, svg"]),
        (["run=plane", "what=samples", "count=0"], ["count=0", "at least 1"]),
        (["run=plane", "what=samples", "label=3"], ["label=3", "needs count", "count=100"]),
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
def test_mistakes_are_reported_in_one_line(
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
