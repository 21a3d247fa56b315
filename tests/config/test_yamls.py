"""What every yaml under conf/ promises."""

import importlib.util
import re
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from yamls import BORROWED, IDS, ROOT, YAMLS, commands, group_of, targets

from vae_cli.config.check import in_epochs, resolved
from vae_cli.config.compose import compose
from vae_cli.config.keys import SHARED
from vae_cli.config.parts import check_parts
from vae_cli.config.signature import signature_of
from vae_cli.config.sweep import compose_sweep
from vae_cli.config.trust import check_saved

GROUPS = sorted({group_of(path) for path in YAMLS} - {"", *BORROWED})
# Of each command the primary file.
COMMANDS = ("train", "eval", "sample", "finetune", "export", "flow", "report", "compare")
PROGRAMS = {f"vae-{name}": name for name in COMMANDS}
LISTS = ("analysis", "figure", "metric")
# Groups that vae-train has not.
OWN = {"analysis": "eval", "energy": "flow", "reference": "compare"}
TESTS = Path(__file__).parents[1]
COMMAND_LINES = {path: commands(path) for path in YAMLS}
CHOICE = re.compile(r"([\w/]+)=\[?([\w,]+)\]?")


def test_each_opens_with_a_command() -> None:
    for path, lines in COMMAND_LINES.items():
        assert (ROOT / path).read_text(encoding="utf-8").startswith("# "), path
        assert lines, path
        assert all(line[0] in (*PROGRAMS, "tensorboard") for line in lines), path


@pytest.mark.parametrize("path", YAMLS, ids=IDS)
def test_command_composes(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for program, *arguments in COMMAND_LINES[path]:
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


def options_in_no_command() -> list[tuple[str, str]]:
    """The command that has a group, and what chooses the options that no yaml's command has.

    Those of a group that is a list are chosen together.
    """
    words = [word for lines in COMMAND_LINES.values() for line in lines for word in line]
    choices = [match.groups() for match in map(CHOICE.fullmatch, words) if match]
    chosen = {(group, name) for group, names in choices for name in names.split(",")}
    left = {(path.parent.as_posix(), path.stem) for path in YAMLS if len(path.parts) > 1} - chosen
    found = [(group, name) for group, name in left if group not in LISTS]
    for group in LISTS:
        names = ",".join(sorted(name for other, name in left if other == group))
        found.append((group, f"[{names}]"))
    return [(OWN.get(group, "train"), f"{group}={value}") for group, value in sorted(found)]


@pytest.mark.parametrize(("command", "choice"), options_in_no_command())
def test_option_composes(command: str, choice: str) -> None:
    compose(command, [choice])


def test_targets_are_of_their_groups_and_keys_are_parameters() -> None:
    for path in YAMLS:
        group = group_of(path)
        for node in targets(OmegaConf.load(ROOT / path)):
            if group not in BORROWED:
                assert node._target_.startswith(f"vae_cli.{group}."), path
            if group in ("experiment", "launcher"):
                continue  # differences only: test_command_composes checks them
            shared = SHARED.get(group, ())
            signature = signature_of(node._target_)
            assert signature is not None, path
            known = {*signature.annotations, *shared}
            known |= {in_epochs(name) for name in signature.annotations}
            keys = {str(name) for name in node if not str(name).startswith("_")}
            assert keys <= known | {"defaults"}, path


@pytest.mark.parametrize("group", GROUPS)
def test_group_has_package_and_tests(group: str) -> None:
    assert importlib.util.find_spec(f"vae_cli.{group}") is not None
    assert list((TESTS / group).glob("test_*.py"))
