"""A trained model as a library has it: arrays in, arrays out."""

import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from torch import Size, Tensor
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal

import vae_cli
from vae_cli.commands.train import main as train
from vae_cli.data.batch import Batch, unlabelled
from vae_cli.distribution.relations import mean
from vae_cli.errors import VaeCliError
from vae_cli.launch.launch import SHARED_FOLDER
from vae_cli.model.base import Model
from vae_cli.model.evidence import exact_log_likelihood
from vae_cli.model.importance import evidence_estimate

SHAPE = (1, 8, 8)
BRIEF = ["trainer.max_steps=3", "logger=none", "figure=[]", "metric=[]", "network.hidden_dims=[16]"]
RUNS = {
    "vae": [],
    "planar": ["posterior=planar"],
    "gaussian": ["likelihood=gaussian", "latent_dim=3"],
    "ppca": ["model=ppca"],
    "m1": ["model=m1", "data.labels=100"],
    "m2": ["model=m2", "data.labels=100"],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of short runs, by name."""
    work = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(work)
        for name, overrides in RUNS.items():
            patch.delenv(SHARED_FOLDER, raising=False)
            brief = [b for b in BRIEF if name != "ppca" or not b.startswith("network")]
            assert (
                train([*brief, "trainer.progress=false", f"hydra.run.dir={name}", *overrides]) == 0
            )
        patch.delenv(SHARED_FOLDER, raising=False)
    return work


@pytest.fixture
def binary() -> np.ndarray:
    return (np.random.default_rng(0).random((5, *SHAPE)) < 0.3).astype(np.float32)


def test_torch_comes_when_it_is_asked_for(tmp_path: Path) -> None:
    code = "import sys, vae_cli; vae_cli.__version__; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=60)
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        vae_cli.laod  # noqa: B018


@pytest.mark.parametrize("name", RUNS)
def test_shapes_and_kinds(name: str, runs: Path, binary: np.ndarray) -> None:
    trained = vae_cli.load(runs / name)
    size, y = trained.latent_dim, 3 if name == "m2" else None
    assert trained.shape == SHAPE
    for x in (binary, binary.astype(bool), torch.from_numpy(binary).double()):
        kind, number = type(x), "float32" if isinstance(x, np.ndarray) else torch.float32
        z = trained.encode(x)
        assert type(z) is kind and z.shape == (5, size) and z.dtype == number
        decoded, again = trained.decode(z, y), trained.reconstruct(x)
        for images in (decoded, again):
            assert type(images) is kind and images.shape == x.shape and images.dtype == number
        log_p = trained.log_likelihood(x, samples=3)
        assert type(log_p) is kind and log_p.shape == (5,) and str(log_p.dtype).endswith("float64")
        assert not isinstance(z, Tensor) or not (z.requires_grad or decoded.requires_grad)
        single = trained.encode(x[0]), trained.reconstruct(x[0]), trained.log_likelihood(x[0])
        assert [each.shape for each in single] == [(size,), SHAPE, ()]
        assert trained.decode(z[0], y).shape == SHAPE
    assert trained.sample(4).shape == (4, *SHAPE) and isinstance(trained.sample(4), np.ndarray)


@pytest.mark.parametrize("name", ["vae", "gaussian", "m2"])
def test_numbers_are_the_models(name: str, runs: Path, binary: np.ndarray) -> None:
    trained = vae_cli.load(runs / name)
    batch = unlabelled(torch.from_numpy(binary))
    with torch.no_grad():
        code = mean(trained.model.encode(batch))
        image = trained.model.decode(code).mean
    np.testing.assert_array_equal(trained.encode(binary), code[:, : trained.latent_dim])
    np.testing.assert_array_equal(trained.reconstruct(binary), image)
    if name != "m2":
        np.testing.assert_array_equal(trained.decode(code.numpy()), image)


def test_many_are_as_few(runs: Path) -> None:
    x = np.random.default_rng(1).random((230, *SHAPE)) < 0.5
    trained = vae_cli.load(runs / "vae")
    parts = [trained.encode(x[i : i + 50]) for i in range(0, 230, 50)]
    np.testing.assert_allclose(trained.encode(x), np.concatenate(parts), atol=1e-6)
    assert trained.log_likelihood(x, samples=2).shape == (230,)


def test_noise_is_that_of_the_seed_and_nobody_elses(runs: Path, binary: np.ndarray) -> None:
    trained = vae_cli.load(runs / "planar")
    calls: list[Callable[..., Any]] = [
        lambda seed: trained.log_likelihood(binary, samples=2, seed=seed),
        lambda seed: trained.sample(5, seed=seed),
    ]
    torch.manual_seed(7)
    expected = torch.rand(3)
    for call in calls:
        torch.manual_seed(7)
        np.testing.assert_array_equal(call(0), call(0))
        assert (call(0) != call(1)).any()
        assert torch.equal(torch.rand(3), expected)
    # Means have no formula here, but are functions of the image.
    np.testing.assert_array_equal(trained.encode(binary, seed=0), trained.encode(binary, seed=1))


def test_log_likelihood_is_the_evidence(runs: Path) -> None:
    """Where the posterior is exact, so is the estimate, whatever the number of draws."""
    trained = vae_cli.load(runs / "ppca")
    x = np.random.default_rng(2).random((6, *SHAPE)).astype(np.float32)
    exact = exact_log_likelihood(trained.model, unlabelled(torch.from_numpy(x)))
    assert exact is not None
    np.testing.assert_allclose(trained.log_likelihood(x, samples=1), exact.detach(), rtol=1e-5)


def test_log_likelihood_agrees_with_many_draws(runs: Path, binary: np.ndarray) -> None:
    trained = vae_cli.load(runs / "vae")
    batch = unlabelled(torch.from_numpy(binary))
    torch.manual_seed(0)
    with torch.no_grad():
        q = trained.model.encode(batch)
        many = evidence_estimate(trained.model, batch, q, 50_000)  # type: ignore[arg-type]
    error = (1 / many.effective_sample_size * 50_000 / 4000).sqrt().numpy()
    found = trained.log_likelihood(binary, samples=4000)
    assert (np.abs(found - many.log_likelihood.numpy()) < 5 * error).all()


def test_labels(runs: Path, binary: np.ndarray) -> None:
    trained = vae_cli.load(runs / "m2")
    q_y = trained.classify(binary)
    assert q_y.shape == (5, 10)
    np.testing.assert_allclose(q_y.sum(1), 1, rtol=1e-5)
    z = trained.encode(binary)
    one, each = trained.decode(z, y=3), trained.decode(z, y=np.array([3, 1, 3, 3, 3]))
    same = (one == each).all((1, 2, 3))
    assert same.tolist() == [True, False, True, True, True]
    with torch.no_grad():
        expected = trained.model.decode(torch.from_numpy(z), torch.full((5,), 3)).mean
    np.testing.assert_allclose(one, expected, atol=1e-6)
    by_class = trained.sample(10, y=torch.arange(10))
    assert isinstance(by_class, Tensor) and by_class.shape == (10, *SHAPE)
    assert not np.array_equal(trained.sample(10, y=3), trained.sample(10, y=4))
    assert np.array_equal(trained.sample(10, y=3), trained.sample(10, y=np.full(10, 3)))


def test_last_checkpoint_without_data(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vae_cli.config import data

    def forbidden(cfg: object) -> None:
        raise AssertionError("the data are not to be looked at")

    monkeypatch.setattr(data, "_load", forbidden)
    run = shutil.copytree(runs / "vae", tmp_path / "run")
    last = vae_cli.load(str(run), checkpoint="last", device=torch.device("cpu"))
    assert last.sample(1).shape == (1, *SHAPE)
    (run / "checkpoints" / "best.ckpt").unlink()
    with pytest.raises(VaeCliError, match=r"it has no best\.ckpt\. Try checkpoint=last"):
        vae_cli.load(run)


def test_only_known_parts_are_built(runs: Path, tmp_path: Path) -> None:
    run = shutil.copytree(runs / "vae", tmp_path / "run")
    path = run / "checkpoints" / "best.ckpt"
    checkpoint = torch.load(path, weights_only=True)
    config = OmegaConf.create(checkpoint["config"])
    config.model.encoder._target_ = "os.mkdir"
    torch.save(checkpoint | {"config": OmegaConf.to_yaml(config)}, path)
    with pytest.raises(VaeCliError, match=r"_target_=os\.mkdir"):
        vae_cli.load(run)


class Codes(Model):
    """An encoder and a decoder without a prior: the first two values, and they again."""

    latent_dim = 2

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def encode(self, batch: Batch) -> Distribution:
        return MultivariateNormal(self.weight * batch.input.flatten(1)[:, :2], torch.eye(2))

    def decode(self, z: Tensor, y: Tensor | None = None) -> Distribution:
        return Independent(Normal(z[:, :1, None, None].expand(-1, *SHAPE), 1.0), 3)


def test_a_model_without_prior(binary: np.ndarray) -> None:
    config = OmegaConf.create({"derived": {"shape": SHAPE, "levels": None}})
    trained = vae_cli.TrainedModel(Codes(), config)
    np.testing.assert_array_equal(trained.encode(binary), binary.reshape(5, -1)[:, :2])
    assert trained.reconstruct(binary).shape == binary.shape
    for call in (lambda: trained.sample(2), lambda: trained.log_likelihood(binary)):
        with pytest.raises(VaeCliError, match=r"Codes has no prior.* Try a run of model=vae\."):
            call()


WRONG: list[tuple[str, Callable[[vae_cli.TrainedModel], object], str]] = [
    ("vae", lambda m: m.encode(np.zeros((4, 8, 8))), r"x: has shape \(4, 8, 8\), and an image of "
     r"the run \(1, 8, 8\). Try x.reshape\(-1, 1, 8, 8\)\."),
    ("vae", lambda m: m.encode(np.zeros((8, 8))), r"Try x.reshape\(-1, 1, 8, 8\)\."),
    ("vae", lambda m: m.encode(np.zeros((2, 3, 8, 9))), r"Try \(N, 1, 8, 8\)\."),
    ("vae", lambda m: m.encode(np.zeros((0, *SHAPE))), r"has shape \(0, 1, 8, 8\)"),
    ("vae", lambda m: m.encode(np.zeros(())), r"has shape \(\)"),
    ("vae", lambda m: m.encode(np.full((2, *SHAPE), math.nan)), "NaN or infinite"),
    ("vae", lambda m: m.encode(np.full((2, *SHAPE), 1j)), "not complex128"),
    ("vae", lambda m: m.encode(np.full((2, *SHAPE), "a")), "not <U1"),
    ("vae", lambda m: m.encode([[0.0]]), "x: needs a numpy array or a tensor of numbers, not list"),
    ("gaussian", lambda m: m.encode(np.full((2, *SHAPE), 16)), r"up to 16.* Try x / 16\."),
    ("vae", lambda m: m.log_likelihood(np.full((2, *SHAPE), 99, np.uint8)), r"Try x / 255\."),
    ("vae", lambda m: m.log_likelihood(np.full((2, *SHAPE), 999)), r"Try x / 999\."),
    ("vae", lambda m: m.log_likelihood(np.full((2, *SHAPE), 0.5)), r"takes 0 and 1.*Try x >"),
    ("vae", lambda m: m.log_likelihood(np.zeros((2, *SHAPE)), samples=0), "samples=0: needs"),
    ("vae", lambda m: m.decode(np.zeros((2, 3))), r"z: has shape \(2, 3\), and a code \(2,\)"),
    ("vae", lambda m: m.decode(np.zeros((1, 2, 2))), r"Try \(N, 2\)\."),
    ("vae", lambda m: m.decode(np.zeros((2, 2)), y=1), "the images of VAE have no label"),
    ("vae", lambda m: m.sample(0), "n=0: needs a whole number of at least 1"),
    ("vae", lambda m: m.sample(2, y=1), "the images of VAE have no label"),
    ("vae", lambda m: m.classify(np.zeros((2, *SHAPE))), "VAE predicts no labels"),
    ("m1", lambda m: m.classify(np.zeros((2, *SHAPE))), "fitted to training images"),
    ("m2", lambda m: m.decode(np.zeros((2, 2))), r"y: the images of M2 depend on it"),
    ("m2", lambda m: m.decode(np.zeros((2, 2)), y=10), "whole numbers from 0 to 9"),
    ("m2", lambda m: m.decode(np.zeros((2, 2)), y=np.array([0.5, 1])), "whole numbers from 0 to 9"),
    ("m2", lambda m: m.sample(3, y=np.array([0, 1])), "Try one label, or one for each of 3"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "call", "said"), WRONG, ids=[row[2][:20] for row in WRONG])
def test_mistakes_are_reported_in_one_line(
    name: str, call: Callable[[vae_cli.TrainedModel], object], said: str, runs: Path
) -> None:
    with pytest.raises(VaeCliError, match=said) as raised:
        call(vae_cli.load(runs / name))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"run": "nowhere"}, "run=nowhere: there is no such folder"),
        ({"run": "vae", "checkpoint": "first"}, "checkpoint=first: needs one of best, last"),
        ({"run": "vae", "device": "gpu"}, "device=gpu: torch has no such device here"),
    ],
)
def test_what_can_not_be_loaded(
    arguments: dict[str, Any], said: str, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(runs)
    with pytest.raises(VaeCliError, match=said):
        vae_cli.load(**arguments)
    assert Size(vae_cli.load("vae").shape) == Size(SHAPE)
