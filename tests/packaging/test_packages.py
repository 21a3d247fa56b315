"""What is installed."""

import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from vae_cli.config.explain import EXTRAS

ROOT = Path(__file__).parents[2]
SCRIPT = Path(sys.executable).with_name("vae-train")


def test_packages_are_the_folders() -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = setup["options"]["packages"].split()
    folders = [path.parent.relative_to(ROOT) for path in (ROOT / "vae_cli").rglob("__init__.py")]
    assert sorted(listed) == sorted([".".join(f.parts) for f in folders] + ["vae_cli.conf"])
    assert listed == sorted(listed)


def test_extras_are_named_alike_and_exist() -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    places = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "conf").rglob("*.yaml")]
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "vae_cli").rglob("*.py")]
    text = "\n".join([*(path.read_text(encoding="utf-8") for path in places), *sources])
    named = {*re.findall(r"vae-cli\[(\w+)\]", text), *re.findall(r"install\(['\"](\w+)", text)}
    assert named | {*EXTRAS.values()} == {*setup["options.extras_require"]} - {
        "test",
        "dev",
        "docs",
    }
    assert {*re.findall(r"'\.\[(\w+)\]'", text)} <= {"test", "dev", "docs"}  # of a checkout
    assert sum("pip install 'vae-cli[{" in source for source in sources) == 1  # errors.install


@pytest.mark.skipif(not SCRIPT.is_file(), reason="vae_cli is not installed")
def test_installed_command_helps_at_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [SCRIPT, "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=20
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "vae-train" in done.stdout and "posterior" in done.stdout
    assert not list(tmp_path.iterdir())
