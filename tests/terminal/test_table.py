"""Tables as a terminal shows them."""

import pytest
from rich.console import Console

from vae_cli.terminal.table import Table, print_table

NUMBERS = ["log p(x)", "ELBO", "KL", "validation reconstruction", "squared error"]
MODELS = ["Autoencoder", "VAE", "contractive_autoencoder"]


def shown(table: Table, width: int) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        print_table(table, console)
    return capture.get()


@pytest.mark.parametrize("width", [30, 80, 140])
@pytest.mark.parametrize("settings", [1, 2, 9])
def test_no_cell_is_cut(settings: int, width: int) -> None:
    heads = [f"optimizer.option{i}" for i in range(settings)] + NUMBERS
    rows = [
        [f"{model}{i}" for i in range(settings)]
        + [f"-{100 * n + i}.25 ± 0.{n}{i}" for i in range(len(NUMBERS))]
        for n, model in enumerate(MODELS, 1)
    ]
    output = shown(Table("title", heads, rows, range(settings, len(heads))), width)
    for word in [cell for row in rows for cell in row] + " ".join(NUMBERS).split():
        assert word in output
    assert max(map(len, output.splitlines())) <= max(width, 50)  # a setting may be longer


def test_parts_repeat_the_labels() -> None:
    rows = [[model, *["-25.37 ± 0.28"] * 5] for model in MODELS]
    output = shown(Table("title", ["model", *NUMBERS], rows, range(1, 6)), 80)
    assert [output.count(text) for text in ("contractive_autoencoder", "title")] == [2, 1]


def test_empty_columns_are_left_out() -> None:
    table = Table("", ["model", "KL", "error"], [["a", "", "1"], ["b", "", ""]], [1, 2]).filled()
    assert table == Table("", ["model", "error"], [["a", "1"], ["b", ""]], [1])


def test_texts_stay_in_their_cells() -> None:
    hostile = ["\x1b[2J", "a\nb\tc", "[red]x[/red] :bomb:", "\u202egnp"]
    table = Table("\x1b]0;x\x07", ["head\n\x1b[1m", "KL"], [[text, "1"] for text in hostile], [1])
    output = shown(table, 80)
    for text in ("\\x1b[2J", "a\\nb\\tc", "[red]x[/red] :bomb:", "\\u202egnp", "head\\n\\x1b[1m"):
        assert text in output
    assert "\x1b" not in output and len(output.splitlines()) == 5 + len(hostile)
