"""What is shown without training."""

import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from vae_cli import __version__
from vae_cli.commands.train import main

LIGHT = [
    ["--help"], ["-h"], ["--help", "posterior"], ["posterior=planar", "--help"],
    ["posterior=planer"], ["latent_dim=0"], ["--nope"], ["--cfg", "job"],
]  # fmt: skip
CODE = """
import sys
from vae_cli.commands.train import main
for arguments in {lines}:
    try:
        main(arguments)
    except SystemExit:
        pass
heavy = {{"torch", "pytorch_lightning", "torchvision", "sklearn", "matplotlib"}} & set(sys.modules)
assert not heavy, heavy
"""


def test_torch_is_not_imported(tmp_path: Path) -> None:
    code = CODE.format(lines=LIGHT)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.iterdir())


def test_every_command_has_a_version_at_once(tmp_path: Path) -> None:
    names = ["train", "eval", "sample", "finetune", "export", "flow", "report", "compare"]
    imports = "".join(f"from vae_cli.commands.{name} import main as {name}\n" for name in names)
    code = imports + "codes = [main(['--version']) for main in (" + ", ".join(names) + ")]\n"
    code += "import sys\nassert codes == 8 * [0] and 'torch' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == 8 * [f"vae-cli {__version__}"]


def test_cfg_job_shows_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["--cfg", "job", "latent_dim=7"]) == 0
    shown = OmegaConf.create(capsys.readouterr().out)
    assert shown.latent_dim == 7 and shown.seed == 0
    assert not list(tmp_path.iterdir())
