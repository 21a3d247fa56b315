"""Paths on a command line, with signs that Hydra's grammar gives a meaning."""

from pathlib import Path

import pytest

from vae_cli.commands.parser import Parser
from vae_cli.commands.runs import listed
from vae_cli.config.grammar import parsed, quoted
from vae_cli.config.path_words import AS_TYPED, SINGLE, SWEPT, as_override, as_path
from vae_cli.config.sweep import compose_sweep
from vae_cli.errors import ConfigError, VaeCliError

WORDS = (
    "naïve.npy", "größe", "日本", "images (1).npy", "it's", "a=b", "a&b", "a b", " a ", "[a]",
    "{a: b}",
    "123", "true", "1e3", "nan", "a\\'b", "a\\", "\\", "a'b\"c", "a\nb", "a\tb", "a#b", "~/x",
    "a:b",
    "a(1),b", "@x", "a;b", "a|b", "<x>", "C:\\x\\y", "'a", "a'", "\\'", "x/", "-x", "a*b?", "a\\ b",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def values(text: str) -> object:
    override = parsed(text)
    several = override.is_sweep_override()
    return list(override.sweep_string_iterator()) if several else override.value()


@pytest.mark.parametrize("word", [*WORDS, "a,b", "choice(a,b)", "'q'", '"q"'])
def test_a_path_is_the_word_of_the_shell(word: str) -> None:
    for key in (*SWEPT, *SINGLE, "+data.path", "++data.root") if word in WORDS else ():
        assert values(as_override(f"{key}={word}")) == word
    Path(word.replace("/", "")).touch()
    for key in AS_TYPED:
        for form in (key, f"+{key}", f"++{key}"):
            assert values(as_override(f"{form}={word}")) == word
    for key in (*SWEPT, *SINGLE):
        text = as_override(f"{key}={word.replace('/', '')}")
        assert values(text) == word.replace("/", "")
        assert as_override(text) == text or values(as_override(text)) == values(text)


def test_what_names_nothing_keeps_its_meaning() -> None:
    for text in ("data.path=null", "output=NULL", "data.root=${oc.env:HOME}/x", "data.path=",
                 "seed=0,1", "note=it's", "model=vae", "data.path='a b'", 'output="a b"',
                 "~data.path", "resume=null", "run=", "~run"):  # fmt: skip
        assert as_override(text) == text
    Path("null").touch()
    assert as_override("data.path=null") == "data.path=null"
    Path("a b").touch()
    assert values(as_override("data.path=a\\ b")) == "a b"


def test_commas_part_the_values_of_a_sweep_unless_the_word_exists() -> None:
    assert values(as_override("data.path=a,b")) == ["a", "b"]
    assert values(as_override("data.path=choice(a,b)")) == ["a", "b"]
    assert values(as_override("output=a,b")) == "a,b"  # no sweep goes through it
    for name in ("it's (1)", "naïve"):
        Path(name).touch()
    texts = values(as_override("data.path=it's (1),naïve"))
    assert [values(f"data.path={text}") for text in texts] == ["it's (1)", "naïve"]
    Path("a,b").touch()
    assert values(as_override("data.path=a,b")) == "a,b"


def test_every_path_of_a_sweep_is_there_at_its_start() -> None:
    for name in ("a,b.npz", "c.npz"):
        Path(name).touch()
    with pytest.raises(ConfigError, match=r"data.path=a: does not exist.*'a,b\.npz',c\.npz"):
        compose_sweep("train", ["data=array", as_override("data.path=c.npz,a,b.npz")], None)
    for word in ("'a,b.npz',c.npz", "c.npz,~/there.npz", "choice(c.npz,'a,b.npz')"):
        compose_sweep("train", ["data=array", as_override(f"data.path={word}")], None)


def test_a_run_is_the_word_of_the_shell() -> None:
    for name in ("it's (1)", "a,b", "c=d", "'e'", "f"):
        Path(name).mkdir()
        assert listed(name) == [name]
        with pytest.raises(VaeCliError, match=r"^.*: is not of the form key=value\. Did you mean"):
            Parser("eval", has_runs=True).read([name])
    assert listed("'a,b'") == ["a,b"] and listed("c=d,f") == ["c=d", "f"]
    assert listed("'a,b',\"no, none\",it's,g") == ["a,b", "no, none", "it's", "g"]
    assert as_path("'e'") == "'e'" and as_path("'f'") == "f"


def test_the_message_shows_a_word_that_can_be_read() -> None:
    with pytest.raises(VaeCliError, match=r"in quotes within quotes: 'run_id=\"a \(b\)\"'\.$"):
        parsed("run_id=a (b)")
    with pytest.raises(VaeCliError, match=r"in quotes within quotes\.$"):
        parsed("a b=c")
    assert parsed(f"a={quoted('it' + chr(39) + 's ${x}')}").value() == "it's ${x}"
