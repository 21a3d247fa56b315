"""What an unknown word of a command line was meant to be, as words to copy.

A key has one name, that of ``config.yaml``. Any other name is answered with it, and never taken for
it: so a run's record, its command and its folder say the same.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence

from vae_cli.config.synonyms import BY_WORD, meanings, squeezed
from vae_cli.config.vocabulary import Vocabulary
from vae_cli.errors import shell_word

LIKE, ALIKE = 0.5, 0.75  # how near a name is to those beside it, and to any other
VALUE = "VALUE"  # stands for one that is not given
MOST = 3  # alternatives that a message has


def words_for(key: str, value: str, known: Vocabulary) -> list[str]:
    """Words for the command line in place of a key that there is not, the alternatives one by one.

    Args:
        key: As given.
        value: As given; empty for none.
        known: What can be set.
    """
    for targets in _likely(key, known):
        words = [words for target in targets if (words := _set(target, value, known))]
        if words:
            return [*dict.fromkeys(words)][:MOST]
    groups = [name for targets in _likely(key, known) for name in targets if name in known.groups]
    return [f"{groups[0]}=OPTION"] if groups else []  # its value is unknown, too


def option_for(group: str, value: str, known: Vocabulary) -> str:
    """The word for an option that there is not, of this group or another; empty for none."""
    names = {squeezed(option): option for option in known.groups.get(group, ())}
    synonyms = [*meanings(f"{group}={value}"), *meanings(value)]
    synonyms = [word for word in synonyms if "=" in word and _set(word, "", known)]
    near = difflib.get_close_matches(squeezed(value), names, n=1, cutoff=ALIKE)
    alike = {f"{other}={option}": squeezed(option) == squeezed(value)
             for other, options in known.groups.items() for option in options}  # fmt: skip
    likely = [
        *(f"{group}={names[name]}" for name in names if name == squeezed(value)),
        *(word for word in synonyms if word.startswith(f"{group}=")),
        *(f"{group}={names[name]}" for name in near),
        *(word for word in alike if alike[word]),
        *synonyms,
    ]
    return likely[0] if likely else ""


def _likely(key: str, known: Vocabulary) -> Iterator[Sequence[str]]:
    """What a key may have been, the likeliest first; what is equally likely is one list."""
    full, last, group = squeezed(key), squeezed(_last(key)), key.partition(".")[0]
    named = sorted([*known.groups, *known.present], key=lambda name: name.count("."))
    synonyms = [*meanings(full), *meanings(last)]
    is_grouped = group in known.groups and "." in key
    kept = [name for name in synonyms if not is_grouped or name.partition(".")[0] == group]
    yield [name for name in named if squeezed(name) == full]
    yield from ([name] for name in kept if name.partition("=")[0] in named)
    yield [name for name in known.absent if squeezed(name) == full]
    yield from ([name] for name in synonyms if name.partition("=")[0] in named)
    yield [name for name in named if squeezed(_last(name)) == last]
    yield from ([name] for name in synonyms)
    yield [name for name in known.absent if squeezed(_last(name)) == last]
    everything = [*named, *known.absent]
    beside = [name for name in everything if is_grouped and name.startswith(f"{group}.")]
    yield _nearest(last, {squeezed(_last(name)): [name] for name in beside}, LIKE)
    yield _nearest(full, {squeezed(name): [name] for name in everything}, ALIKE)
    by_last = {squeezed(_last(name)): [name] for name in reversed(everything)}
    yield _nearest(last, {**BY_WORD, **by_last}, ALIKE)


def _set(target: str, value: str, known: Vocabulary) -> str:
    """The words that set a target, as a shell takes them; empty where it can't be set.

    Args:
        target: A key, a group, or either with a fixed value.
        value: That it gets otherwise; empty for none.
        known: What can be set.
    """
    name, _, own = target.partition("=")
    if name in known.groups and own:
        return target if own in (*known.groups[name], "[]") else ""
    if name in known.groups and value.startswith("["):
        words = [option_for(name, each, known) for each in value.strip("[]").split(",") if each]
        is_own = all(word.startswith(f"{name}=") for word in words)
        listed = ",".join(word.partition("=")[2].strip("[]") for word in words)
        return shell_word(f"{name}=[{listed}]") if is_own else ""
    if name in known.groups:
        return option_for(name, value, known) if value else f"{name}=OPTION"
    if name in known.present:
        is_list = isinstance(known.present[name], list) and value[:1] not in ("", "[")
        return shell_word(f"{name}={own or (f'[{value}]' if is_list else value or VALUE)}")
    choice = next(iter(known.absent.get(name, ())), "")
    return f"{choice} {shell_word(f'{name}={own or value or VALUE}')}" if choice else ""


def _nearest(name: str, pool: Mapping[str, Sequence[str]], cutoff: float) -> list[str]:
    near = difflib.get_close_matches(name, pool, n=1, cutoff=cutoff)
    return [target for each in near for target in pool[each]]


def _last(key: str) -> str:
    return key.replace("/", ".").rpartition(".")[2]
