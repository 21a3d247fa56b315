"""What the help says of commands, groups, options and keys."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vae_cli.commands.compare import main as compare
from vae_cli.commands.eval import main as evaluate
from vae_cli.commands.sample import main as sample
from vae_cli.commands.train import main as train
from vae_cli.errors import VaeCliError
from vae_cli.help.options import Catalogue
from vae_cli.help.pages import PAGES
from vae_cli.help.show import NARROWEST, WIDEST, help_of

KNOWN = {command: Catalogue(command) for command in PAGES}


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")  # whatever terminal the tests run in


@pytest.mark.parametrize("command", PAGES)
def test_a_command_lists_its_groups_options_and_keys(command: str) -> None:
    text, known = help_of(command), KNOWN[command]
    words = text.replace(",", " ").replace("[", " ").replace("]", " ").split()
    for group, options in known.groups.items():
        assert f"\n  {group}: {known.meaning(group)[:30]}" in text and known.meaning(group)
        assert {*options} <= {*words}
    named = [*known.keys, *PAGES[command].short, *PAGES[command].often]
    assert all(f"\n  {key} " in text for key in named)


@pytest.mark.parametrize(("command", "group"), [(c, g) for c in PAGES for g in KNOWN[c].groups])
def test_a_group_lists_its_options_on_a_line_each(command: str, group: str) -> None:
    known = KNOWN[command]
    lines = help_of(command, [group]).splitlines()
    for name in known.groups[group]:
        option = known.option(group, name)
        assert any(line[2:].startswith(f"{name} ") and option.summary in line for line in lines)
        page = help_of(command, [f"{group}={name}"])
        assert option.about[:30] in page and all(key in page for key in option.keys)


@pytest.mark.parametrize("columns", [20, NARROWEST, 1000])
def test_lines_fit_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    width = min(max(columns, NARROWEST), WIDEST)
    for command, known in KNOWN.items():
        options = [f"{group}={name}" for group in known.groups for name in known.groups[group]]
        for text in (help_of(command), help_of(command, [*known.groups, *options])):
            lines = [line for line in text.splitlines() if not line.startswith("Try: ")]
            assert max(map(len, lines)) <= width


def test_an_option_says_what_it_extends_and_brings() -> None:
    assert "10000  optimizer steps" in help_of("train", ["kl_schedule=rezende"])
    assert "objective=reconstruction kl_schedule=null" in help_of("train", ["model=autoencoder"])
    preset = help_of("train", ["experiment=rezende2015_planar"])
    assert "data=binarized_mnist" in preset and "posterior=planar" in preset
    assert "number of maps K" in preset  # as the yaml of the posterior says
    assert "model.likelihood.scale" in help_of("train", ["model=m1_m2"])


WORDS = [
    (train, ["--help", "posterior=planar"], "posterior.flow_length"),
    (train, ["posterior=planar", "--help"], "posterior.flow_length"),
    (train, ["-m", "posterior=planar,radial", "--help"], "Radial flow"),
    (train, ["+experiment=digits_flow", "--help"], "kl_schedule.warmup_epochs"),
    (train, ["--help", "posterior.flow_length"], "number of maps"),
    (train, ["trainer.max_epochs=3", "latent_dim=7", "--help"], "dimensions of z"),
    (evaluate, ["--help", "metric"], "importance_sampling"),
    (sample, ["--help", "figure=traversals"], "figure.traversals.reach"),
    (sample, ["what=samples,manifold", "--help"], "figure.manifold.rows"),
    (sample, ["from=12", "--help"], "figure.interpolations.start"),
    (compare, [".", "--help"], "Usage: vae-compare PLACE"),
]


@pytest.mark.parametrize(("main", "words", "shown"), WORDS)
def test_words_beside_help(
    main: Callable[[list[str]], int],
    words: list[str],
    shown: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(words) == 0
    assert shown in capsys.readouterr().out


@pytest.mark.parametrize(
    ("word", "remedy"),
    [
        ("posteriors", "there is no such group or key. Did you mean posterior?"),
        ("posterior=planer", "there is no such option. Did you mean posterior=planar?"),
        ("figure=[samples,manifolds]", "Did you mean figure=manifold?"),
        ("trainer.max_epoch=3", "Did you mean trainer.max_epochs?"),
        ("latent_dims", "Did you mean latent_dim?"),
    ],
)
def test_an_unknown_word_is_one_line(
    word: str, remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(["--help", word]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"vae-train: {word.partition('=')[0]}") and remedy in line


def write(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.yaml").write_text(text, encoding="utf-8")


def test_own_yamls_appear(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = "# A planar flow of mine. Try: vae-train posterior=mine\ndefaults: [planar, _self_]\n"
    write(tmp_path / "conf" / "vae_cli" / "posterior", f"{mine}flow_length: 9   # maps\n")
    write(tmp_path / "named" / "prior", "_target_: mine.Prior\n")
    assert train(["--help", "posterior"]) == 0
    assert "mine (yours)  A planar flow of mine" in capsys.readouterr().out
    assert train(["posterior=mine", "prior=mine", "--config-dir", "named", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "posterior.flow_length  9  maps" in shown and "prior=mine:" in shown


@pytest.mark.parametrize("text", ["a: [", "defaults: [mine]\n", "- 1\n", "\t", "a: &a {b: *a}", ""])
def test_broken_yamls_of_the_user_are_listed(tmp_path: Path, text: str) -> None:
    write(tmp_path / "conf" / "vae_cli" / "posterior", text)
    assert "mine (yours)" in help_of("train", ["posterior"])
    assert "posterior=mine" in help_of("train", ["posterior=mine"])


def test_a_name_of_a_later_version_is_no_traceback() -> None:
    with pytest.raises(VaeCliError, match="there is no such option"):
        help_of("train", ["posterior=sylvester"])
