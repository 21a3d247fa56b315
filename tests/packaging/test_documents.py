"""What the documents say, as far as a program can tell that it is true."""

import ast
import re
import sys
from collections import Counter
from configparser import ConfigParser
from importlib import import_module
from importlib.metadata import packages_distributions
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from sys import stdlib_module_names
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
HOMES = packages_distributions()


def _load_runner() -> ModuleType:
    spec = spec_from_file_location("documents", ROOT / "docs" / "run.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look up their annotations
    spec.loader.exec_module(module)
    return module


documents = _load_runner()
README = PAGES[0].read_text(encoding="utf-8")


def blocks(page: Path, language: str) -> list[str]:
    return [t for kind, t in BLOCK.findall(page.read_text(encoding="utf-8")) if kind == language]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_command_of_a_page_takes_the_folder_of_another(page: Path) -> None:
    lines = "\n".join(blocks(page, "sh")).splitlines()
    commands = "\n".join(line for line in lines if "resume=auto" not in line)
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_of_a_page_lead_to_files(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    links = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'src="([^"]+)"', text)
    inside = [link for link in links if ":" not in link]
    assert [link for link in inside if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_marks_of_a_page_stand_above_fences(page: Path) -> None:
    documents.read_blocks(page)


def test_a_mark_without_a_fence_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for text in ("<!-- run -->\n\n", "<!-- run: later -->\n", "<!-- prints -->\n```text\n```\n"):
        page.write_text(text)
        with pytest.raises(ValueError, match=r"page\.md:1:"):
            documents.read_blocks(page)


@pytest.mark.parametrize(
    ("page", "printed", "same"),
    [
        ("elbo  -24.09 ± 0.33\n───", "elbo -9.1 ± 12\n──────\n\n", True),
        ("log p(x)  ≥ -24.6", "log p(x)    -24.6", True),
        ("elbo -24.09", "elbo -24.09\nkl 3.0", False),
        ("…\nkl 3", "elbo -24.09\nkl 3.0", True),
        ("…\nkl 3", "elbo -24.09", False),
        ("step 1\nstep 2", "step 1", False),
    ],
)
def test_outputs_are_compared_but_for_numbers(page: str, printed: str, same: bool) -> None:
    assert documents.matches(documents.normalise(page), documents.normalise(printed)) is same


def test_a_block_that_fails_or_prints_something_else_is_a_fault(tmp_path: Path) -> None:
    block = documents.Block(tmp_path / "page.md", 1, "sh", "true", prints="2 runs")
    assert documents.describe_fault(block, 0, "3 runs") is None
    assert "-# runs\n+# jobs" in documents.describe_fault(block, 0, "3 jobs")
    assert "exit code 2, not 0" in documents.describe_fault(block, 2, "")
