"""Files that somebody else has made are plain data, and nothing is written through a link."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vae_cli.files import UnsafeFile, check_tree, parse_yaml, read_bytes, read_json, read_yaml
from vae_cli.folders import append_text, replaced

BOMB = "a: &a [x,x]\n" + "".join(
    f"{b}: &{b} [*{a},*{a}]\n" for a, b in zip("abcd", "bcde", strict=True)
)

YAMLS = {  # by what is refused
    "alias": BOMB,
    "tag": "a: !!python/object/apply:os.mkdir [hacked]",
    "binary": "a: !!binary aGk=",
    "key": "1: a",
    "depth": "[" * 100 + "]" * 100,
    "very deep": "[" * 100_000,
    "documents": "a: 1\n---\nb: 1",
    "size": "a" * 300_000,
    "number": f"a: {10**30}",
    "nonsense": "a: [",
    "no text": "\x00",
}


@pytest.mark.parametrize("kind", YAMLS)
def test_yaml_that_is_not_plain(kind: str) -> None:
    with pytest.raises(UnsafeFile, match="it\\.yaml"):
        parse_yaml(YAMLS[kind], "it.yaml")


def test_plain_yaml() -> None:
    text = "a: 1\nb: [1.5, x, null, true]\nc: {d: '${oc.env:HOME}', e: 2026-11-20}\nf: 1.0e-08"
    expected = {"a": 1, "b": [1.5, "x", None, True], "f": 1e-8}
    expected["c"] = {"d": "${oc.env:HOME}", "e": "2026-11-20"}
    assert parse_yaml(text, "it.yaml") == expected


@pytest.mark.parametrize("text", ["[1]", "{", "[" * 100_000, '{"a": NaN}', '{"a": 1' + "0" * 99])
def test_json_that_is_not_plain(text: str, tmp_path: Path) -> None:
    (tmp_path / "it.json").write_text(text)
    with pytest.raises(UnsafeFile, match="it\\.json"):
        read_json(tmp_path / "it.json")


def link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


SPECIAL: list[Callable[[Path], None]] = [link, dangling, os.mkfifo, Path.mkdir]


@pytest.mark.parametrize("make", SPECIAL)
def test_only_regular_files_are_read(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "it.yaml"
    make(path)
    with pytest.raises(UnsafeFile, match="it\\.yaml"):
        read_yaml(path)


def test_devices_and_large_files_are_not_read(tmp_path: Path) -> None:
    with pytest.raises(UnsafeFile, match="not a regular file"):
        read_bytes(Path("/dev/zero"), 100)
    (tmp_path / "it").write_bytes(b"x" * 101)
    with pytest.raises(UnsafeFile, match="more than 100 bytes"):
        read_bytes(tmp_path / "it", 100)


@pytest.mark.parametrize("make", SPECIAL[:3])
def test_a_folder_with_links_is_refused(make: Callable[[Path], None], tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "figures").mkdir(parents=True)
    check_tree(run)
    make(run / "figures" / "it.png")
    with pytest.raises(UnsafeFile, match=r"figures/it\.png"):
        check_tree(run)
    (tmp_path / "second").symlink_to(run)
    with pytest.raises(UnsafeFile, match="is a symbolic link"):
        check_tree(tmp_path / "second")


def test_writing_replaces_a_link_and_not_its_target(tmp_path: Path) -> None:
    target, path = tmp_path / "target", tmp_path / "it"
    target.write_text("theirs")
    path.symlink_to(target)
    with replaced(path) as file:
        file.write(b"ours")
    assert target.read_text() == "theirs" and not path.is_symlink()
    assert path.read_text() == "ours"
    assert sorted(tmp_path.iterdir()) == [path, target]


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "it").write_text("before")
    with pytest.raises(KeyError), replaced(tmp_path / "it") as file:
        file.write(b"half")
        raise KeyError
    assert [p.read_text() for p in tmp_path.iterdir()] == ["before"]


def test_nothing_is_written_into_a_linked_folder(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "figures").symlink_to(tmp_path / "theirs")
    with pytest.raises(OSError), replaced(tmp_path / "figures" / "it"):
        pass
    assert not [*(tmp_path / "theirs").iterdir()]


def test_nothing_is_appended_through_a_link(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("theirs")
    (tmp_path / "link").symlink_to(target)
    (tmp_path / "second").hardlink_to(target)
    for name in ("link", "second"):
        with pytest.raises((OSError, UnsafeFile)):
            append_text(tmp_path / name, "ours")
    assert target.read_text() == "theirs"
    append_text(tmp_path / "new", "a\n")
    append_text(tmp_path / "new", "b\n")
    assert (tmp_path / "new").read_text() == "a\nb\n"
