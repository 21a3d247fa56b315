"""What every yaml under conf/ promises."""

import importlib.util
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from yamls import BORROWED, IDS, ROOT, YAMLS, commands, group_of, targets

from vae_cli.config.check import in_epochs, resolved
from vae_cli.config.compose import compose, compose_sweep
from vae_cli.config.keys import SHARED
from vae_cli.config.parts import check_parts
from vae_cli.config.signature import signature_of
from vae_cli.config.trust import check_saved

GROUPS = sorted({group_of(path) for path in YAMLS} - {"", *BORROWED})
# Of each command the primary file.
COMMANDS = ("train", "eval", "sample", "finetune", "export", "flow", "report", "compare")
PROGRAMS = {f"vae-{name}": name for name in COMMANDS}
# Groups that vae-train has not.
OWN = {"analysis": "eval", "energy": "flow", "reference": "compare"}
TESTS = Path(__file__).parents[1]
every_yaml = pytest.mark.parametrize("path", YAMLS, ids=IDS)


@every_yaml
def test_opens_with_a_command(path: Path) -> None:
    assert (ROOT / path).read_text(encoding="utf-8").startswith("# ")
    assert commands(path)
    assert all(c[0] in (*PROGRAMS, "tensorboard") for c in commands(path))


@every_yaml
def test_command_composes(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for program, *arguments in commands(path):
        if program in PROGRAMS and "--help" not in arguments:
            composed = [a for a in arguments if "=" in a and not a.startswith(("run=", "what="))]
            if "-m" in arguments:
                compose_sweep(PROGRAMS[program], composed, None)
            else:
                cfg, _ = compose(PROGRAMS[program], composed)
                if PROGRAMS[program] == "train":  # a run of it can be opened by anybody
                    assert check_saved(composed, None, trust=False) == composed
                    check_parts({k: v for k, v in resolved(cfg).items() if k != "derived"})
    assert not list(tmp_path.iterdir())


@every_yaml
def test_option_composes(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    group = path.parent.as_posix()
    if group != "." and [f"{group}={path.stem}"] not in [c[1:] for c in commands(path)]:
        compose(OWN.get(group, "train"), [f"{group}={path.stem}"])


@every_yaml
def test_target_is_of_its_group(path: Path) -> None:
    group = group_of(path)
    for node in targets(OmegaConf.load(ROOT / path)):
        if group not in BORROWED:
            assert node._target_.startswith(f"vae_cli.{group}.")


@every_yaml
def test_keys_are_parameters(path: Path) -> None:
    if group_of(path) in ("experiment", "launcher"):
        return  # differences only: test_option_composes checks them
    for node in targets(OmegaConf.load(ROOT / path)):
        shared = SHARED.get(group_of(path), ())
        signature = signature_of(node._target_)
        assert signature is not None
        known = {*signature.annotations, *shared}
        known |= {in_epochs(name) for name in signature.annotations}
        assert {str(name) for name in node if not str(name).startswith("_")} <= known | {"defaults"}


@pytest.mark.parametrize("group", GROUPS)
def test_group_has_package_and_tests(group: str) -> None:
    assert importlib.util.find_spec(f"vae_cli.{group}") is not None
    assert list((TESTS / group).glob("test_*.py"))
