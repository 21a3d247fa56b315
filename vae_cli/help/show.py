"""The help of a command, of a group, of an option and of a key. Torch is not imported."""

import re
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence

from vae_cli.config.nearest import suggest
from vae_cli.config.path_words import exists
from vae_cli.config.vocabulary import FIGURE, WHAT
from vae_cli.errors import VaeCliError, shortened
from vae_cli.help.comments import Key
from vae_cli.help.options import Catalogue, Option
from vae_cli.help.pages import CONFIG_DIR, PAGES, SHARED_FLAGS

NARROWEST, WIDEST = 80, 100  # columns
DEFAULT = "*"  # marks the default options
FEW = 3  # options that are listed beside a key
KEY, VALUE = 34, 16  # the widest columns of a table of keys
INNER = " " * 6  # before the options of a group
NOW = re.compile(r"\$\{now:[^}]*\}")
SELECT = re.compile(r"\$\{oc\.select:[\w.]+,(.+)\}")
REFERENCE = re.compile(r"\$\{([\w.]+)\}")


def help_of(command: str, words: Sequence[str] = (), config_dir: str | None = None) -> str:
    """The help of a command, or of the groups, options and keys that the words name.

    Args:
        command: Name of its primary file.
        words: ``posterior``, ``posterior=planar``, ``seed``, ``seed=3``.
        config_dir: A folder of the user's own yamls.

    Raises:
        VaeCliError: If a word names nothing.
    """
    known = Catalogue(command, config_dir)
    parts = [part for word in words for part in _answers(word, known)]
    return "\n\n".join(dict.fromkeys(parts)) if parts else _of_command(known)


def default_text(value: str) -> str:
    """A default as a reader needs it: a reference to another key is ``= key``."""
    plain = SELECT.sub(r"\1", NOW.sub("TIME", value))
    return REFERENCE.sub(r"= \1", plain).strip('"') or '""'


def _answers(word: str, known: Catalogue) -> Iterator[str]:
    """The help of what a word names; nothing for a path.

    Raises:
        VaeCliError: If it names nothing.
    """
    name, sign, value = word.lstrip("+~").partition("=")
    group = FIGURE if name == WHAT and FIGURE in known.groups else name
    if group in known.groups:
        options = [text.strip("[]()'\" ") for text in value.split(",")]
        for option in options if value not in ("", "null", "[]") else ():
            if option not in known.groups[group]:
                remedy = suggest(option, known.groups[group], "").replace("mean ", f"mean {name}=")
                rule = "there is no such option"
                raise VaeCliError(f"{name}={shortened(option)}: {rule}. {remedy}")
            yield _of_option(known.option(group, option), known)
        if value in ("", "null", "[]"):
            yield _of_group(group, known)
    elif keys := keys_named(name, known):
        yield "\n".join(_key_rows(keys))
    elif sign or not exists(word):
        names = [*known.groups, *known.keys, *PAGES[known.command].short]
        near = suggest(name, [*names, *_keys_beside(name, known)])
        raise VaeCliError(f"{shortened(name)}: there is no such group or key. {near}")


def keys_named(name: str, known: Catalogue) -> dict[str, Key]:
    """The keys with a name; of several options that have it, the default's."""
    if full := PAGES[known.command].short.get(name):
        key = _keys_beside(full, known)[full]
        return {name: key._replace(meaning=f"{key.meaning} ({full})")}
    found = {**_keys_beside(name, known), **known.keys}
    return {name: found[name]} if name in found else {}


def _keys_beside(name: str, known: Catalogue) -> dict[str, Key]:
    """The keys of all options of the group that a key is in."""
    groups = [group for group in known.groups if name.startswith(f"{group.replace('/', '.')}.")]
    options = [known.option(g, each) for g in groups for each in reversed(known.ordered(g))]
    return {full: key for option in options for full, key in option.keys.items()}


def _of_command(known: Catalogue) -> str:
    page, name = PAGES[known.command], f"vae-{known.command}"
    blocks = [_wrapped(page.about), _wrapped(f"Usage: {name} {page.usage}")]
    blocks += [_table(page.examples, "  ")]
    if known.groups:
        more = f"GROUP=OPTION (the default is listed first; {name} --help GROUP says more)"
        rows = [line for group in known.groups for line in _row(group, known)]
        blocks += [_wrapped(f"Groups, {more}:"), rows]
    short = {name: key for each in page.short for name, key in keys_named(each, known).items()}
    own = _key_rows({**known.keys, **short})
    blocks += [["Keys, KEY=VALUE, each with its default:"], own]
    if page.often:
        often = [pair for each in page.often for pair in keys_named(each, known).items()]
        keys = {name: _with_options(key, name, known) for name, key in often}
        blocks += [["The most common keys of groups:"], _key_rows(keys)]
    flags = [*page.flags, *([CONFIG_DIR] if known.groups else []), *SHARED_FLAGS]
    blocks += [["Flags:"], _table(flags, "  ")]
    return "\n\n".join("\n".join(block) for block in blocks)


def _with_options(key: Key, name: str, known: Catalogue) -> Key:
    """A key whose meaning ends with the options that have it; unchanged if the default has it."""
    group = name.partition(".")[0]
    options = [each for each in known.ordered(group) if name in known.option(group, each).keys]
    if options[0] in known.defaults.get(group, ()):
        return key
    shown = ", ".join(options[:FEW]) + ", …" * (len(options) > FEW)
    return key._replace(meaning=f"{key.meaning} ({group}={shown})")


def _row(group: str, known: Catalogue) -> list[str]:
    """A group, what it chooses, and its options."""
    chosen = known.defaults.get(group, [])
    others = [name for name in known.ordered(group) if name not in chosen]
    first = f"[{','.join(chosen)}]" if len(chosen) > 1 else "".join(chosen)
    names = ", ".join(filter(None, [first.replace(",", ", "), *others]))
    head = _wrapped(f"{group}: {known.meaning(group)}", "  ", INNER)
    return [*head, *_wrapped(names, INNER, INNER)]


def _of_group(group: str, known: Catalogue) -> str:
    """A group: its options, and the keys of the default ones."""
    options = [known.option(group, name) for name in known.ordered(group)]
    chosen = known.defaults.get(group, [])
    rows = [(_marked(option, chosen), option.summary) for option in options]
    blocks = [_wrapped(f"{group}: {known.meaning(group)}"), _table(rows, "")]
    if chosen:
        blocks[-1].append(f"{DEFAULT} the default")
    shown = [option for option in options if option.name in chosen] or options[:1]
    if keys := {name: key for option in shown for name, key in option.keys.items()}:
        several = "the default options" if len(shown) > 1 else f"{group}={shown[0].name}"
        blocks += [_wrapped(f"Keys of {several}, each with its default:"), _key_rows(keys)]
    if len(options) > 1:
        more = f"vae-{known.command} --help {group}={options[-1].name}"
        blocks.append([f"The keys of another option: {more}"])
    return "\n\n".join("\n".join(block) for block in blocks)


def _marked(option: Option, chosen: Sequence[str]) -> str:
    """An option's name, marked if it is a default or the user's."""
    return f"{DEFAULT if option.name in chosen else ' '} {option.name}{' (yours)' * option.is_own}"


def _of_option(option: Option, known: Catalogue) -> str:
    """An option: what it is, what it brings, its keys and the commands to try."""
    blocks = [_wrapped(f"{option.group}={option.name}: {option.about}")]
    if option.choices:
        words = " ".join(f"{group}={_listed(name)}" for group, name in option.choices.items())
        blocks.append(_wrapped(f"It also sets {words}, unless you set something else."))
    if option.keys:
        blocks += [["Keys, each with its default:"], _key_rows(option.keys)]
    blocks.append([f"Try: {line}" for line in option.commands])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _listed(names: str) -> str:
    """Options as a command line takes them."""
    return f"[{names}]" if "," in names else names or "null"


def _key_rows(keys: Mapping[str, Key]) -> list[str]:
    """Keys, their defaults and their meanings, as a table."""
    texts = [(name, default_text(key.value), key.meaning) for name, key in keys.items()]
    rows = [(f"{name:<{_width((n for n, *_ in texts), KEY)}}  {value}", meaning)
            for name, value, meaning in texts]  # fmt: skip
    limit = _width((n for n, *_ in texts), KEY) + 2 + VALUE
    return _table(rows, "  ", limit)


def _table(rows: Sequence[tuple[str, str]], indent: str, limit: int = 60) -> list[str]:
    """Rows of a word and its meaning; a word wider than the column has a line to itself."""
    column = _width((word for word, _ in rows), limit)
    lines: list[str] = []
    for word, meaning in rows:
        gap = f"{indent}{word:<{column}}  "
        if len(word) > column and meaning:
            lines += _wrapped(word, indent, f"{indent}    ")
            gap = " " * (len(indent) + column + 2)
        lines += _wrapped(meaning, gap, " " * (len(indent) + column + 2)) or [gap.rstrip()]
    return lines


def _width(words: Iterable[str], limit: int) -> int:
    """The width of a column: that of its widest word within the limit."""
    return max((len(word) for word in words if len(word) <= limit), default=0)


def _wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    columns = min(max(shutil.get_terminal_size((WIDEST, 0)).columns, NARROWEST), WIDEST)
    return textwrap.wrap(
        text, columns, initial_indent=first, subsequent_indent=rest or " " * len(first),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
