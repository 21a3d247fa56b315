"""vae-export: the same numbers from files alone, where this package is not installed."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.distributions import Bernoulli, Distribution, MultivariateNormal, Normal

import vae_cli
from vae_cli.commands import export as command
from vae_cli.commands.export import main
from vae_cli.commands.train import main as train
from vae_cli.data.batch import Batch, unlabelled
from vae_cli.distribution.bernoulli import IndependentBernoulli
from vae_cli.distribution.labelled import LabelledDistribution
from vae_cli.distribution.relations import from_noise
from vae_cli.export.export import SUFFIX, export
from vae_cli.export.graphs import graphs_of
from vae_cli.export.note import note
from vae_cli.launch.launch import SHARED_FOLDER
from vae_cli.model.base import Model
from vae_cli.run.files import sha256_of

RUNS = {
    "mlp": ["network.hidden_dims=[16]"],
    "planar": ["posterior=planar", "network=conv", "network.channels=[4]", "likelihood=gaussian",
               "likelihood.scale=0.5", "latent_dim=3"],
    "m1_m2": ["model=m1_m2", "model.m1=mlp", "data.labels=100", "network.hidden_dims=[16]"],
    "autoencoder": ["model=autoencoder", "network.hidden_dims=[16]", "latent_dim=3"],
    "ppca": ["model=ppca"],
}  # fmt: skip
BRIEF = ["trainer.max_steps=3", "trainer.progress=false", "logger=none", "figure=[]", "metric=[]"]
WHOLE = ("planar", "m1_m2")  # exported once, in every format
NUMBER = 7  # images: another number than any at the export
# What runs elsewhere: of each function its outputs by name, from each file.
ELSEWHERE = """
import json, sys
sys.modules["vae_cli"] = None  # any import of it fails
from pathlib import Path
import numpy as np, onnxruntime, torch
found = {}
for folder in map(Path, sys.argv[2:]):
    given = np.load(folder.parent / "given.npz")
    for name, said in json.loads((folder / "export.json").read_text())["functions"].items():
        inputs = {key: given[key] for key in said["inputs"]}
        pt2 = torch.export.load(folder / f"{name}.pt2").module()
        onnx = onnxruntime.InferenceSession(folder / f"{name}.onnx")
        assert [each.name for each in onnx.get_inputs()] == list(inputs)
        assert [each.name for each in onnx.get_outputs()] == list(said["outputs"])
        with torch.no_grad():
            ours = [value.numpy() for value in pt2(*map(torch.from_numpy, inputs.values()))]
        for kind, values in {"torch_export": ours, "onnx": onnx.run(None, inputs)}.items():
            for key, value in zip(said["outputs"], values, strict=True):
                assert list(value.shape[1:]) == said["outputs"][key]["shape"][1:]
                assert value.dtype == said["outputs"][key]["dtype"]
                found[f"{folder.parent.name}/{kind}/{name}/{key}"] = value
assert not any(name.startswith("vae_cli.") for name in sys.modules)
np.savez(sys.argv[1], **found)
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of short runs, by name."""
    work = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(work)
        for name, overrides in RUNS.items():
            patch.delenv(SHARED_FOLDER, raising=False)
            assert train([*BRIEF, f"hydra.run.dir={name}", *overrides]) == 0
        patch.delenv(SHARED_FOLDER, raising=False)
    return work


@pytest.fixture(scope="module")
def elsewhere(trained: Path) -> dict[str, np.ndarray]:
    """What each exported function gives in a process without this package."""
    rng = np.random.default_rng(0)
    for name in WHOLE:
        size = vae_cli.load(trained / name).latent_dim
        np.savez(
            trained / name / "given.npz",
            x=(rng.random((NUMBER, 1, 8, 8)) < 0.3).astype(np.float32),
            noise=rng.standard_normal((NUMBER, size), np.float32),
            z=rng.standard_normal((NUMBER, size), np.float32),
            y=rng.integers(0, 10, NUMBER),
        )
        assert main([f"run={trained / name}"]) == 0
    found = trained / "found.npz"
    folders = [str(trained / name / "export") for name in WHOLE]
    done = subprocess.run(
        [sys.executable, "-I", "-c", ELSEWHERE, str(found), *folders],
        cwd=trained, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with np.load(found) as arrays:
        return dict(arrays)


def given(run: Path) -> dict[str, torch.Tensor]:
    with np.load(run / "given.npz") as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays}


@pytest.mark.parametrize("kind", SUFFIX)
@pytest.mark.parametrize("name", WHOLE)
@torch.no_grad()
def test_numbers_are_the_models(
    name: str, kind: str, trained: Path, elsewhere: dict[str, np.ndarray]
) -> None:
    model: Model = vae_cli.load(trained / name).model
    x, noise, z, y = (given(trained / name)[key] for key in ("x", "noise", "z", "y"))
    q, p = model.encode(unlabelled(x)), model.decode(z, y)
    if isinstance(q, LabelledDistribution):
        compare(elsewhere[f"{name}/{kind}/classifier/log_label"], q.log_label)
        q = q.given(torch.nn.functional.one_hot(y, 10).float())
    code, log_q = from_noise(q, noise)
    compare(elsewhere[f"{name}/{kind}/encoder/z"], code)
    compare(elsewhere[f"{name}/{kind}/encoder/log_q"], log_q)
    compare(elsewhere[f"{name}/{kind}/encoder/log_q"], q.log_prob(code))
    compare(elsewhere[f"{name}/{kind}/decoder/mean"], p.mean)


@pytest.mark.parametrize("kind", SUFFIX)
@pytest.mark.parametrize("name", WHOLE)
@torch.no_grad()
def test_outputs_make_up_the_density(
    name: str, kind: str, trained: Path, elsewhere: dict[str, np.ndarray]
) -> None:
    """log p(x|z), from what the decoder gives beside the mean."""
    x, z, y = (given(trained / name)[key] for key in ("x", "z", "y"))
    decoder = f"{name}/{kind}/decoder/"
    outputs = {
        key.removeprefix(decoder): torch.from_numpy(value)
        for key, value in elsewhere.items()
        if key.startswith(decoder)
    }
    if "logits" in outputs:
        each = Bernoulli(logits=outputs["logits"]).log_prob(x)
    else:
        each = Normal(outputs["mean"], outputs["scale"]).log_prob(x)
    expected = vae_cli.load(trained / name).model.decode(z, y).log_prob(x)
    compare(each.sum((1, 2, 3)).numpy(), expected)


def compare(found: np.ndarray, expected: torch.Tensor) -> None:
    assert found.shape == tuple(expected.shape)
    np.testing.assert_allclose(found, expected.numpy(), rtol=2e-5, atol=2e-5)


def test_files_say_what_they_are(trained: Path, elsewhere: object) -> None:
    folder = trained / "planar" / "export"
    checkpoint = trained / "planar" / "checkpoints" / "best.ckpt"
    names = {"README.md", "export.json", "weights.safetensors", "encoder.pt2", "encoder.onnx",
             "decoder.pt2", "decoder.onnx"}  # fmt: skip
    assert {path.name for path in folder.iterdir()} == names
    record = json.loads((folder / "export.json").read_text())
    assert record["checkpoint_sha256"] == sha256_of(checkpoint)
    binary = json.loads((trained / "m1_m2" / "export" / "export.json").read_text())
    assert binary["data"]["values"] == (
        "0 or 1: 1 with probability v / 16 for the grey level v = 0 ... 16"
    )
    state = vae_cli.load(trained / "planar").model.state_dict()
    weights = load_file(folder / "weights.safetensors")
    assert weights.keys() == state.keys()
    assert all(torch.equal(weights[key], value) for key, value in state.items())
    # Each program has its own weights alone.
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    program = torch.export.load(folder / "encoder.pt2")
    assert program.state_dict.keys() == {f"model.{k}" for k in state if k.startswith("encoder.")}
    assert sizes["README.md"] < 5000


def test_notes_run_as_written(trained: Path, elsewhere: object, tmp_path: Path) -> None:
    """A block for each format, and nothing said of what a model has not."""
    assert main([f"run={trained / 'autoencoder'}", f"output={tmp_path / 'export'}"]) == 0
    folders = {name: trained / name / "export" for name in ("planar", "m1_m2")}
    code = "import os, sys\nsys.modules['vae_cli'] = None\n"
    for name, folder in {**folders, "autoencoder": tmp_path / "export"}.items():
        note = (folder / "README.md").read_text(encoding="utf-8")
        assert ("noise" in note) == ("q(z" in note) == (name != "autoencoder")
        assert ("label" in note) == (name == "m1_m2")
        blocks = note.split("```python\n")[1:]
        assert len(blocks) == 2
        size = json.loads((folder / "export.json").read_text())["latent_dim"]
        check = f"assert z.shape == (3, {size}) and mean.shape == (3, 1, 8, 8)\ndel z, mean\n"
        code += f"os.chdir({str(folder)!r})\n"
        code += "".join(block.split("```")[0] + check for block in blocks)
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        cwd=tmp_path, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_name_in_the_note_is_a_name() -> None:
    named = {"data": "[x](http://evil.example)\n# <b>`y`", "values": "v"}
    record = {"model": "VAE", "latent_dim": 2, "data": named, "functions": {},
              "versions": {"vae-cli": "1", "torch": "2"}, "checkpoint": "best.ckpt",
              "checkpoint_sha256": "0"}  # fmt: skip
    head, *rest = note(record).splitlines()
    assert head == r"# VAE, trained on \[x\](http\://evil.example)\\n\# \<b\>\`y\`"
    assert rest[1].startswith("Exported by vae-cli 1")


def test_export_takes_the_place_of_one(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained / "mlp", "run", ignore=shutil.ignore_patterns("export"))
    assert main(["run=run", "format=torch_export", "output=deep/er"]) == 0
    assert capsys.readouterr().out == "deep/er\n"
    assert main(["run=run", "format=[torch_export]", "output=deep/er", "checkpoint=last"]) == 0
    record = json.loads(Path("deep/er/export.json").read_text())
    assert record["checkpoint"] == "last.ckpt"
    assert record["functions"]["encoder"]["files"] == ["encoder.pt2"]
    assert sorted(path.name for path in Path("deep").iterdir()) == ["er"]
    Path("deep/er/mine.onnx").touch()
    assert main(["run=run", "format=torch_export", "output=deep/er"]) == 2
    assert "output=deep/er: is a folder, and not" in capsys.readouterr().err
    assert Path("deep/er/mine.onnx").is_file()
    Path("mine").mkdir()
    Path("mine/README.md").write_text("mine")
    Path("run/empty").mkdir()
    for folder in ("mine", "run/empty", "run/new"):
        assert main(["run=run", "format=torch_export", f"output={folder}"]) == 2
    assert Path("mine/README.md").read_text() == "mine" and Path("run/empty").is_dir()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], ["run: needs"]),
        (["run=nowhere"], ["run=nowhere", "no such folder"]),
        (["run=mlp,planar", "output=one"], ["output=one", "one folder for 2 runs"]),
        (["run=mlp", "format=keras"], ["format=keras", "torch_export, onnx"]),
        (["run=mlp", "format=[onnx,keras]"], ["format=[onnx,keras]", "torch_export, onnx"]),
        (["run=mlp", "format=[]"], ["format=[]", "nothing to write"]),
        (["run=mlp", "checkpoint=first"], ["checkpoint=first", "best, last"]),
        (["run=mlp", "too=x"], ["too=x", "Did you mean output=x?"]),
        (
            ["run=mlp", "output=mlp"],
            ["output=mlp", "not an earlier export", "Name another: output="],
        ),
        (["run=mlp", "output=mlp/config.yaml"], ["output=mlp/config.yaml", "is within the run"]),
        (
            ["run=mlp", "format=torch_export", "output=mlp/config.yaml/x"],
            ["output=mlp/config.yaml/x: is within the run"],
        ),
        (["run=ppca", "output=x"], ["format=onnx", "ONNX lacks", "Try format=torch_export"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_mistakes_are_reported_in_one_line(
    arguments: list[str],
    said: list[str],
    trained: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(trained)
    before = sorted(trained.rglob("*"))
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vae-export: ")
    for part in said:
        assert part in line
    assert sorted(trained.rglob("*")) == before


def test_what_is_not_installed_is_named(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(trained)
    there = command.find_spec
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "onnx" else there(name))
    before = sorted(trained.rglob("*"))
    assert main(["run=mlp", "output=elsewhere"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == ("vae-export: format=onnx: needs onnx. Try pip install 'vae-cli[export]'.")
    assert sorted(trained.rglob("*")) == before
    assert main(["run=mlp", "format=torch_export", "output=elsewhere"]) == 0
    shutil.rmtree("elsewhere")


def test_stopped_it_leaves_nothing(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(trained)
    monkeypatch.setattr(
        "vae_cli.export.export._write_weights", lambda *_: os.kill(os.getpid(), signal.SIGTERM)
    )
    before = sorted(trained.rglob("*"))
    handler = signal.getsignal(signal.SIGTERM)
    assert main(["run=mlp", "format=torch_export", "output=deep/er"]) == 130
    assert signal.getsignal(signal.SIGTERM) is handler
    assert capsys.readouterr().err == "vae-export: interrupted\n"
    assert sorted(trained.rglob("*")) == before


def test_mean_of_draws_is_exported(trained: Path, tmp_path: Path) -> None:
    """M1+M2 on the features of a flow, whose mean is an average of draws of fixed noise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        patch.delenv(SHARED_FOLDER, raising=False)
        of_flow = ["model=m1_m2", f"model.m1={trained / 'planar'}", "data.labels=100"]
        assert train([*BRIEF, "hydra.run.dir=run", *of_flow]) == 0
        export("run", ["torch_export"], None, "best", trust=False)  # it compares the numbers
        assert list(tmp_path.rglob("encoder*"))


class Codes(Model):
    """An encoder and a decoder without a prior."""

    latent_dim = 2

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = torch.nn.Linear(64, 2), torch.nn.Linear(2, 64)

    def encode(self, batch: Batch) -> Distribution:
        return MultivariateNormal(self.encoder(batch.input.flatten(1)), torch.eye(2))

    def decode(self, z: Tensor, y: Tensor | None = None) -> Distribution:
        return IndependentBernoulli(self.decoder(z).view(-1, 1, 8, 8), 3)


def test_an_encoder_without_a_prior_takes_no_noise() -> None:
    model, x = Codes(), torch.rand(2, 1, 8, 8)
    graphs = graphs_of(model, x)
    assert graphs.keys() == {"encoder", "decoder"}
    assert list(graphs["encoder"].inputs) == ["x"]
    assert [*graphs["encoder"].outputs] == ["z"]
    assert [*graphs["decoder"].outputs] == ["mean", "logits"]
    (z,) = graphs["encoder"].module(x)
    assert torch.equal(z, model.encode(unlabelled(x)).mean)


def test_exact_posterior_as_torch_has_it(trained: Path, tmp_path: Path) -> None:
    assert main([f"run={trained / 'ppca'}", "format=torch_export", f"output={tmp_path / 'x'}"]) == 0
    x, noise = torch.rand(NUMBER, 1, 8, 8), torch.randn(NUMBER, 2)
    z, log_q = torch.export.load(tmp_path / "x" / "encoder.pt2").module()(x, noise)
    q = vae_cli.load(trained / "ppca").model.encode(unlabelled(x))
    torch.testing.assert_close(log_q, q.log_prob(z), rtol=1e-4, atol=1e-4)
    zero = torch.zeros_like(noise)
    mean = torch.export.load(tmp_path / "x" / "encoder.pt2").module()(x, zero)[0]
    torch.testing.assert_close(mean, q.mean)
