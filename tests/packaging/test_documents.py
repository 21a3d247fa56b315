"""What the documents say, as far as a program can tell that it is true."""

import ast
import re
from collections import Counter
from configparser import ConfigParser
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path
from sys import stdlib_module_names

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
HOMES = packages_distributions()
README = PAGES[0].read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    return [t for kind, t in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_command_of_a_page_takes_the_folder_of_another(page: Path) -> None:
    commands = "\n".join(blocks(page, "sh"))
    names = Counter(re.findall(r"(?:run_id|hydra\.run\.dir)=\S+", commands))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_imports_of_a_page_come_with_an_install_that_it_names(page: Path) -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    extras = dict(setup["options.extras_require"])
    named = re.findall(r"'(?:vae-cli|\.)\[(\w+)\]'", page.read_text(encoding="utf-8"))
    wanted = "\n".join([setup["options"]["install_requires"], *(extras[e] for e in named)])
    known = {re.split(r"[><=\[ ]", line)[0].lower() for line in wanted.split("\n")}
    known |= {"vae-cli", "numpy"}  # numpy comes with scipy
    trees = [ast.parse(text) for text in blocks(page, "python")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    roots = {a.name.split(".")[0] for n in nodes if isinstance(n, ast.Import) for a in n.names}
    roots |= {str(n.module).split(".")[0] for n in nodes if isinstance(n, ast.ImportFrom)}
    foreign = roots - {*stdlib_module_names, "vae_cli"}
    assert [root for root in foreign if not known & {x.lower() for x in HOMES.get(root, [])}] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_names_that_a_page_imports_exist(page: Path) -> None:
    trees = [ast.parse(text) for text in blocks(page, "python")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    pairs = {
        (str(node.module), alias.name)
        for node in nodes
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("vae_cli")
        for alias in node.names
    }
    assert [pair for pair in pairs if not hasattr(import_module(pair[0]), pair[1])] == []


def test_first_commands_of_the_readme_can_be_copied() -> None:
    lines = [line for line in README.splitlines() if line.startswith("python3 -m venv ")]
    assert "download.pytorch.org/whl/cpu && .venv/bin/pip install . &&" in lines[0]
    (tests,) = (line for line in lines if line.endswith("pytest"))
    assert tests.split(" && ")[1:] == [
        ".venv/bin/pip install '.[test]'",
        "OMP_NUM_THREADS=1 .venv/bin/pytest",
    ]


def test_keys_that_the_readme_gives_an_option_are_its_own() -> None:
    (row,) = (line for line in README.splitlines() if line.startswith("| `network`"))
    for option, keys in re.findall(r"`(\w+)` \(([^)]*)\)", row):
        known = yaml.safe_load((ROOT / "conf" / "network" / f"{option}.yaml").read_text())
        for key in re.findall(r"`(\w+)", keys):
            assert key in known, f"network={option} has no {key}"
