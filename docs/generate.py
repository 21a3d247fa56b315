"""Writes the tables of the reference pages, from the yamls and from the declared numbers.

    python docs/generate.py           # after a change of a yaml, a help text or a number
    python docs/generate.py --check   # exit code 1 if a page is out of date

A table stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``. NAME is a group
(``posterior``), an option (``posterior=planar``), a command (``vae-eval``), ``numbers`` or
``numbers of a run``. What stands around the tables is written by hand.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from vae_cli.help.comments import Key
from vae_cli.help.options import Catalogue, Option
from vae_cli.help.pages import CONFIG_DIR, PAGES, SHARED_FLAGS
from vae_cli.help.show import default_text, keys_named
from vae_cli.number import KNOWN, OF_TRAINING, Number

DOCS = Path(__file__).resolve().parent
REFERENCE = DOCS / "reference"
BLOCK = re.compile(r"(<!-- generated: (.+?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
TERM = re.compile(r'<a id="([\w-]+)"></a>([^|]+?) \|')
CODE = re.compile(
    r"\$\w+|~/\S+|[\w./]*\w=[\w./]*[\w/]|<=? ?|>=? ?|\w+\*\w+|\*"
)  # as code in a cell
PAGE = re.compile(r"docs/(\w+)\.md")
LINK = re.compile(r"\[([^\]]+)\]\(\.\./glossary\.md#([\w-]+)\)")
PLAIN = re.compile(r"(`[^`]*`|\[[^\]]*\]\([^)]*\))")  # what holds no further link
DIRECTIONS = {None: "–", True: "higher", False: "lower"}
Rows = Sequence[Sequence[str]]


@cache
def catalogue(command: str) -> Catalogue:
    """The groups and keys of a command."""
    return Catalogue(command)


def commands_with(group: str) -> list[str]:
    """The commands that have a group, ``train`` first."""
    return [command for command in PAGES if group in catalogue(command).groups]


def table(head: Sequence[str], rows: Rows) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def code(text: str) -> str:
    """A text as code, for a cell."""
    return f"`{text}`".replace("|", "\\|")


@cache
def terms() -> Mapping[str, str]:
    """The anchors of the glossary by term, longer terms first."""
    found = TERM.findall((DOCS / "glossary.md").read_text(encoding="utf-8"))
    return {term: anchor for anchor, term in sorted(found, key=lambda pair: -len(pair[1]))}


def prose(text: str) -> str:
    """A comment as a cell: paths as links, code as code, terms linked to the glossary."""
    text = CODE.sub(lambda found: f"`{found[0].strip()}`" + " " * found[0].endswith(" "), text)
    text = PAGE.sub(r"[\1](../\1.md)", text)
    for term, anchor in terms().items():
        pattern = re.compile(rf"(?<![\w/(.])({re.escape(term)})(?!\w|\()", re.IGNORECASE)
        parts = PLAIN.split(text)
        for i in range(0, len(parts), 2):
            if pattern.search(parts[i]):
                parts[i] = pattern.sub(rf"[\1](../glossary.md#{anchor})", parts[i], count=1)
                break
        text = "".join(parts)
    return text.replace("|", "\\|")


def of_group(group: str) -> str:
    """The table of a group's options; an option's name leads to its section."""
    commands = commands_with(group)
    known = catalogue(commands[0])
    choosing = [c for c in commands if c != "sample"]  # there what= chooses
    rows = []
    for name in known.ordered(group):
        users = [c for c in choosing if name in catalogue(c).defaults.get(group, ())]
        which = f" of {', '.join(f'vae-{c}' for c in users)}" if len(choosing) > 1 else ""
        mark = f" (default{which})" if users else ""
        rows.append([f"[`{name}`](#{name}){mark}", prose(known.option(group, name).summary)])
    return table(["option", "what it is"], rows)


def of_option(group: str, name: str) -> str:
    """What an option brings along, its keys, and the commands to try."""
    option = catalogue(commands_with(group)[0]).option(group, name)
    about = [f"{prose(option.about)}\n"] if option.about.rstrip(".") != option.summary else []
    blocks = [*about, *_brought(option), *_keys(option.keys)]
    tried = "\n".join(option.commands)
    return "\n".join([*blocks, f"```sh\n{tried}\n```\n"])


def _brought(option: Option) -> Iterator[str]:
    pairs = [f"`{group}={names or 'null'}`" for group, names in option.choices.items()]
    if pairs:
        yield f"It also sets {', '.join(pairs)}, unless you set something else.\n"


def _keys(keys: Mapping[str, Key]) -> Iterator[str]:
    rows = [[code(name), code(default_text(k.value)), prose(k.meaning)] for name, k in keys.items()]
    if rows:
        yield table(["key", "default", "meaning"], rows)


def of_command(command: str) -> str:
    """What a command does, examples, its groups, keys and flags."""
    page, known = PAGES[command], catalogue(command)
    width = max(len(line) for line, _ in page.examples)
    examples = "\n".join(
        f"{line:<{width}}  # {why}" if why else line for line, why in page.examples
    )
    blocks = [f"{page.about}\n", f"```sh\n{examples}\n```\n"]
    if known.groups:
        rows = [[f"[`{g}`]({page_of(g)})", prose(known.meaning(g))] for g in known.groups]
        blocks.append(table(["group", "what it chooses"], rows))
    short = [pair for name in page.short for pair in keys_named(name, known).items()]
    blocks += _keys({**known.keys, **dict(short)})
    flags = [*page.flags, *([CONFIG_DIR] if known.groups else []), *SHARED_FLAGS]
    blocks.append(table(["flag", "what it does"], [[code(f), prose(why)] for f, why in flags]))
    return "\n".join(blocks)


def page_of(group: str) -> str:
    """The page of a group, from a page of the reference."""
    name = "network" if group in ("encoder", "decoder") else group.partition("/")[0]
    return f"{name}.md"


def of_numbers(numbers: Sequence[Number]) -> str:
    """The table of declared numbers."""
    rows = [
        [code(n.name.replace("/", "/…") if n.name.endswith("/") else n.name), n.unit or "–",
         meaning_of(n), DIRECTIONS[n.larger_is_better]]
        for n in numbers
    ]  # fmt: skip
    return table(["number", "unit", "as tables print it", "better"], rows)


def meaning_of(number: Number) -> str:
    """A declared meaning without the numbers that a table fills in."""
    text = re.sub(r"\{[^{}|]*\|[^{}]*\}", "", number.meaning)
    text = re.sub(r"\{(\w+)\}", lambda found: code(found[1]), text)
    return (text or ("" if number.label == number.name else number.label) or "–").replace(
        "|", "\\|"
    )


BY_NAME: Mapping[str, Callable[[], str]] = {
    "numbers": lambda: of_numbers(KNOWN),
    "numbers of a run": lambda: of_numbers(OF_TRAINING),
}


def block(name: str) -> str:
    """What belongs between the marks of a name."""
    if name in BY_NAME:
        return BY_NAME[name]()
    if name.startswith("vae-"):
        return of_command(name.removeprefix("vae-"))
    group, equals, option = name.partition("=")
    return of_option(group, option) if equals else of_group(group)


def written(text: str) -> str:
    """A page with all its tables as they have to be; a term is linked once."""
    seen: set[str] = set()

    def linked(link: re.Match[str]) -> str:
        is_new = link[2] not in seen
        seen.add(link[2])
        return link[0] if is_new else link[1]

    def filled(found: re.Match[str]) -> str:
        return f"{found[1]}\n{LINK.sub(linked, block(found[2]))}\n{found[4]}"

    return BLOCK.sub(filled, text)


def main(arguments: Sequence[str]) -> int:
    """Writes or checks all pages."""
    old = []
    for page in sorted(REFERENCE.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        if (new := written(text)) != text:
            old.append(page.name)
            if "--check" not in arguments:
                page.write_text(new, encoding="utf-8")
    if old:
        print(f"{'out of date' if '--check' in arguments else 'written'}: {', '.join(old)}")
    return 1 if old and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
