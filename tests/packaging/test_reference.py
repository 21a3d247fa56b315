"""The reference pages: their tables are current, and every option has its section."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from vae_cli.help.options import Catalogue

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted((DOCS / "reference").glob("*.md"))
SIDES = ("encoder", "decoder")  # described on the page of network
GROUPS = {
    group: options
    for command in ("train", "eval", "flow", "compare")
    for group, options in Catalogue(command).groups.items()
    if group not in SIDES
}
MATH = re.compile(r"\$\$.+?\$\$|(?<![\w`$])\$[^$\n`]+\$(?!\w)", re.DOTALL)


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_tables_are_current(page: Path, generate: ModuleType) -> None:
    text = page.read_text(encoding="utf-8")
    assert generate.written(text) == text, "run python docs/generate.py"


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_has_a_page_and_every_option_a_section(group: str) -> None:
    text = (DOCS / "reference" / f"{group.partition('/')[0]}.md").read_text(encoding="utf-8")
    assert f"<!-- generated: {group} -->" in text
    for option in GROUPS[group]:
        assert re.search(rf"^###? {option}$", text, re.MULTILINE)
        assert f"<!-- generated: {group}={option} -->" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_formulas_keep_no_escape_that_markdown_would_take(page: Path) -> None:
    for formula in MATH.findall(page.read_text(encoding="utf-8")):
        assert not re.search(r"\\[,;!#{}_|%]", formula), formula


def test_glossary_is_in_order() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r'<a id="[\w-]+"></a>([^|]+?) \|', text)
    plain = [term.lower().replace("β", "beta") for term in terms]
    assert plain == sorted(plain) and len(terms) >= 40
