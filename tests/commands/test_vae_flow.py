import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vae_cli.commands.flow import main
from vae_cli.posterior.radial import RadialPosterior

QUICK = ["steps=6", "restarts=2", "samples=8", "lengths=[1,3]"]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAE_CLI_CONF", "")
    monkeypatch.setattr("vae_cli.evaluation.flow.DRAWS", 500)


def test_leaves_picture_numbers_and_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, "energy=[two_moons,wave]", "posterior=radial"]) == 0
    (folder,) = Path("outputs/flow").iterdir()
    results = json.loads((folder / "results.json").read_text())
    assert list(results) == ["two_moons", "wave"]
    for found in results.values():
        assert list(found["length"]) == ["1", "3"]
        assert all(n["kl"] > 0 < n["kl_se"] for n in found["length"].values())
        assert all(n["mass"] == pytest.approx(1, abs=0.05) for n in found["length"].values())
    with np.load(folder / "parameters.npz") as arrays:
        assert set(arrays) == {f"{name}/{k}" for name in results for k in (1, 3)}
        q = RadialPosterior(2, 3)(torch.from_numpy(arrays["wave/3"]))
    assert q.sample((4,)).shape == (4, 2)
    with Image.open(folder / "flow.png") as picture:
        assert picture.width > picture.height > 500
    assert "vae-flow steps=6" in (folder / "command.txt").read_text()
    assert (folder / "config.yaml").is_file() and (folder / "environment.txt").is_file()
    output = capsys.readouterr().out
    assert "K = 3" in output and "two_moons" in output and "flow.png" in output


@pytest.mark.parametrize(("suffix", "opening"), [("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_other_formats(suffix: str, opening: bytes) -> None:
    folder = f"here/{suffix}"
    assert main([*QUICK, "energy=wave", f"format={suffix}", f"output={folder}"]) == 0
    assert Path(folder, f"flow.{suffix}").read_bytes().startswith(opening)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["energy=two_moon"], ["energy=two_moon", "Did you mean energy=two_moons?"]),
        (["energy=[]"], ["energy=[]", "at least one"]),
        (["lengths=[]"], ["lengths=[]", "at least one"]),
        (["lengths=[0]"], ["lengths=[0]", "at least 1"]),
        (["lengths=8"], ["lengths=8", "a list"]),
        (["posterior=diagonal"], ["posterior=diagonal", "not a flow", "Try posterior=planar"]),
        (["posterior=exact"], ["posterior=exact", "not a flow"]),
        (["posterior=planer"], ["posterior=planer", "posterior=planar?"]),
        (["posterior.flow_length=7"], ["posterior.flow_length=7", "Try lengths=[7]"]),
        (["steps=0"], ["steps=0", "at least 1"]),
        (["restarts=none"], ["restarts=none", "whole number"]),
        (["samples=-1"], ["samples=-1", "at least 1"]),
        (["warmup=2"], ["warmup=2", "at most 1"]),
        (["lr=0"], ["lr=0", "above 0"]),
        (["format=gif"], ["format=gif", "png, svg, pdf"]),
        (["latent_dim=3"], ["latent_dim=3", "no such key"]),
        (["two_moons"], ["two_moons", "energy=two_moons?"]),
        (["-m"], ["-m", "--help"]),
        (["output=taken"], ["output=taken", "is there already"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_mistakes_are_reported_in_one_line(
    arguments: list[str], said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("taken").write_text("a file")
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vae-flow: ")
    for part in said:
        assert part in line
    assert [path.name for path in Path().iterdir()] == ["taken"]


def test_a_fit_that_breaks_ends_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*QUICK, "energy=wave", "lr=1e30"]) == 2
    assert "Try a smaller lr" in capsys.readouterr().err


def test_help_names_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    keys = ("lengths", "steps", "restarts", "samples", "warmup", "lr", "seed", "format")
    assert all(f"\n  {key} " in shown for key in keys)
    assert "split_wave" in shown and "planar" in shown
