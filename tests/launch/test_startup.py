"""What a plain run has loaded at its first step, and that the rest is there once it is used."""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from processes import start

from vae_cli.launch import deferral

# Each takes a tenth of a second to import, or far more.
UNNEEDED = (
    "matplotlib", "scipy", "sklearn", "sympy", "tensorboard", "torch._dynamo", "torch._inductor",
    "torchmetrics", "torchvision", "triton",
)  # fmt: skip

CODE = f"""
import json, os, sys
from types import ModuleType
from vae_cli.commands.train import main
from vae_cli.run import session

def train(*given):
    from vae_cli.training.module import TrainingModule
    step = TrainingModule._play

    def play(*inputs):
        step(*inputs)
        print(json.dumps([n for n in {UNNEEDED} if type(sys.modules.get(n)) is ModuleType]))
        print(json.dumps(use_deferred()), flush=True)
        os._exit(0)

    TrainingModule._play = play
    original(*given)

def use_deferred():
    import torch
    from lightning_fabric.wrappers import OptimizedModule
    from pytorch_lightning.core.module import Metric
    layer = torch.nn.ReLU()
    before = [isinstance(layer, OptimizedModule), isinstance(layer, Metric)]
    compiled = torch.compile(layer, backend="eager")
    from torchmetrics.aggregation import MeanMetric
    after = [isinstance(compiled, OptimizedModule), isinstance(MeanMetric(), Metric)]
    exported = torch.export.export(layer, (torch.ones(2),)).module()
    return before, after, [run(torch.ones(2)).sum().item() for run in (compiled, exported)]

original, session._train = session._train, train
main(["trainer.fast_dev_run=true"])
"""


def test_modules_at_the_first_step(tmp_path: Path) -> None:
    done = start([], tmp_path, [sys.executable, "-c", CODE])
    assert done.returncode == 0, done.stderr
    loaded, used = map(json.loads, done.stdout.splitlines()[-2:])
    assert loaded == []
    assert used == [[False, False], [True, True], [2.0, 2.0]]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package ``late``, with a module ``inner`` that uses it; both note when they are run."""
    name = "late"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text(
        "import sys\nsys.ran = [*getattr(sys, 'ran', []), __name__]\n"
        "class Thing: pass\nvalue = 3\nfrom late.inner import twice\n"
    )
    (tmp_path / name / "inner.py").write_text(
        "import sys\nsys.ran += [__name__]\n"
        "def twice():\n    import late\n    return 2 * late.value\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "ran", [], raising=False)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.setitem(deferral.DEFERRED, name, deferral._classes(name, "Thing"))
    deferral.defer_modules()
    before = {*sys.modules}
    yield name
    for added in {*sys.modules} - before:
        if added.startswith(name):
            del sys.modules[added]


def test_a_class_stands_for_the_one_that_is_not_loaded(package: str) -> None:
    stand_in = import_module(package).Thing
    assert not isinstance(3, stand_in)
    assert not hasattr(import_module(package), "__wrapped__")  # of whoever looks at all modules
    assert sys.ran == []
    assert import_module(package).value == 3
    assert sys.ran == ["late", "late.inner"]
    assert isinstance(import_module(package).Thing(), stand_in)
    assert not isinstance(3, stand_in)


def test_a_module_within_a_deferred_one_runs_once_and_after_it(package: str) -> None:
    import_module(package)
    inner = import_module(f"{package}.inner")
    assert sys.ran == ["late", "late.inner"]
    assert inner is import_module(package).inner
    assert inner.twice() == 6 and inner.__spec__.origin.endswith("inner.py")
