"""What completes a command line, and the scripts of the shells that ask for it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from vae_cli.commands.completion import candidates, completion
from vae_cli.commands.train import main
from vae_cli.help.shells import SHELLS


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


COMPLETED = {  # the words of a command line, and some of those that complete the last
    "train posterior=": ["posterior=diagonal", "posterior=planar"],
    "train posterior=pl": ["posterior=planar"],
    "train posterior=diagonal,pl": ["posterior=diagonal,planar"],
    "train figure=[samples,ma": ["figure=[samples,manifold"],
    "train +exper": ["+experiment="],
    "train optim": ["optimizer=", "optimizer/lr_schedule=", "optimizer."],
    "train optimizer.l": ["optimizer.lr="],
    "train posterior=planar posterior.f": ["posterior.flow_length="],
    "train model=flow posterior.f": ["posterior.flow_length="],
    "train experiment=rezende2015_diagonal kl_schedule.w": ["kl_schedule.warmup_steps="],
    "train model=sparse_autoencoder objective.sp": ["objective.sparsity_weight="],
    "train trainer.on_nan=": [f"trainer.on_nan={word}" for word in ("stop", "skip", "restore")],
    "train likelihood=gaussian likelihood.scale=": ["likelihood.scale=learned"],
    "train trainer.progress=f": ["trainer.progress=false"],
    "train data.binarize=s": ["data.binarize=static"],
    "train --config-d": ["--config-dir"],
    "train resume=": ["resume=last", "resume=auto", "resume=outputs/digits_vae/one"],
    "eval run=o": ["run=outputs/digits_vae/one"],
    "eval metric.active_units.th": ["metric.active_units.threshold="],
    "sample what=samples,ma": ["what=samples,manifold"],
    "sample what=samples figure.samples.te": ["figure.samples.temperature="],
    "sample fr": ["from="],
    "flow energy=w": ["energy=wave"],
    "compare format=l": ["format=latex"],
}
NOTHING = ["train data.path=", "train posterior=zzz", "train --config-dir ./", "train posterior.f"]


@pytest.mark.parametrize("line", COMPLETED)
def test_words_that_complete_a_line(line: str, tmp_path: Path) -> None:
    run = tmp_path / "outputs" / "digits_vae" / "one"
    run.mkdir(parents=True)
    (run / "overrides.yaml").write_text("[]\n")
    command, *words = line.split(" ")
    found = dict(candidates(command, words))
    assert {*COMPLETED[line]} <= found.keys()
    assert all(word.startswith(words[-1]) for word in found)


@pytest.mark.parametrize("line", NOTHING)
def test_a_shell_completes_the_rest(line: str) -> None:
    command, *words = line.split(" ")
    assert list(candidates(command, words)) == []


def test_own_options_complete(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine" / "posterior").mkdir(parents=True)
    (tmp_path / "mine" / "posterior" / "own.yaml").write_text("# Of mine\ndefaults: [planar]\n")
    assert main(["--completion", "words", "--config-dir", "mine", "posterior=o"]) == 0
    assert capsys.readouterr().out == "posterior=own\tOf mine\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_for_all_commands(shell: str) -> None:
    script = completion("eval", [shell])
    assert "vae-train" in script and "vae-flow" in script and "PROGRAMS" not in script


# A command that completes one word, and prints how it was asked.
STUB = r"""{define} vae-train {begin}
    printf '%s\n' "$*" > asked
    printf 'posterior=planar\tA flow\n'
{end}
"""
BASH = """COMP_LINE='TYPED' COMP_POINT=${#COMP_LINE}
_vae_cli vae-train
printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = """compadd() { printf '%s\\n' $whole $open }
words=(${(z):-'TYPED'}) CURRENT=$#words
_vae_cli
"""
FISH = "complete -C 'TYPED'\n"
ASKED = "--completion words seed=1 posterior=p"
FOUND = {"bash": "planar", "zsh": "posterior=planar", "fish": "posterior=planar\tA flow"}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_asks_the_command(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    is_fish = shell == "fish"
    stub = STUB.format(
        define="function", begin="" if is_fish else "{", end="end" if is_fish else "}"
    )
    stub = stub.replace("$*", "$argv") if is_fish else stub
    trial = {"bash": BASH, "zsh": ZSH, "fish": FISH}[shell]
    trial = trial.replace("TYPED", "vae-train seed=1 posterior=p")
    flags = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    start = "compdef() { :; }\n" if shell == "zsh" else ""
    done = subprocess.run(
        [shell, *flags, "-c", f"{start}{stub}{completion('train', [shell])}{trial}"],
        cwd=tmp_path, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == (FOUND[shell], "")
    assert (tmp_path / "asked").read_text().split() == ASKED.split()
