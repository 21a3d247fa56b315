"""Downloads and archives that are made to harm."""

import io
import re
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from vae_cli.data import fetching


def test_connection_that_ends_early(
    served: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(OSError, match="early ended 60 bytes early"):
        fetching.download([f"{served[0]}early"], tmp_path / "file")


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://127.0.0.1:9/x", "data:,x"])
@pytest.mark.parametrize("is_redirect", [True, False])
def test_only_http_is_fetched(
    address: str, is_redirect: bool, served: tuple[str, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("no_proxy", "*")
    url = f"{served[0]}to/{address}" if is_redirect else address
    with pytest.raises(OSError, match=r"unknown url type|not allowed"):
        fetching.download([url], tmp_path / "file")
    assert not (tmp_path / "file").read_bytes()


@pytest.mark.parametrize("name", ["large", "endless"])
def test_download_that_is_too_large(
    name: str, served: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(fetching, "LARGEST", 1000)
    (served[1] / "large").write_bytes(bytes(1001))
    with pytest.raises(OSError, match="more than 1,000"):
        fetching.download([f"{served[0]}{name}"], tmp_path / "file")
    assert (tmp_path / "file").stat().st_size <= 1000


MEMBERS = {
    "above": ("../x", None, "leads out"),
    "absolute": ("/tmp/x", None, "leads out"),
    "drive": ("C:x", None, "leads out"),
    "backslash": ("..\\x", None, "leads out"),
    "link": ("x", tarfile.SYMTYPE, "x, which is not a file"),
    "hard link": ("x", tarfile.LNKTYPE, "x, which is not a file"),
    "device": ("x", tarfile.CHRTYPE, "x, which is not a file"),
    "pipe": ("x", tarfile.FIFOTYPE, "x, which is not a file"),
    "there": ("there", None, "File exists"),
    "large": ("large", None, "unpacks to more than 1,000 bytes"),
}


@pytest.mark.parametrize("kind", MEMBERS)
@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_hostile_archive(kind: str, suffix: str, tmp_path: Path) -> None:
    name, type_, message = MEMBERS[kind]
    content = bytes(1001 if kind == "large" else 9)
    path, folder = tmp_path / f"a{suffix}", tmp_path / "folder"
    folder.mkdir()
    (folder / "there").touch()
    if suffix == ".zip":
        member = zipfile.ZipInfo(name)
        member.external_attr = (stat.S_IFLNK if type_ else 0) << 16
        with zipfile.ZipFile(path, "w") as zipped:
            zipped.writestr(member, content)
    else:
        info = tarfile.TarInfo(name)
        info.size, info.type, info.linkname = len(content), type_ or tarfile.REGTYPE, "/etc/passwd"
        with tarfile.open(path, "w:gz") as tar:
            tar.addfile(info, io.BytesIO(content))
    with pytest.raises(OSError, match=re.escape(message)):
        fetching.unpack(path, folder, limit=1000)
    assert sorted(tmp_path.rglob("*")) == sorted([path, folder, folder / "there"])


def test_second_address_is_tried(
    served: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    (served[1] / "small").write_bytes(b"good")
    urls = [f"{served[0]}gone", f"{served[0]}early", f"{served[0]}small"]
    fetching.download(urls, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"good"
    with pytest.raises(OSError, match="404"):
        fetching.download(urls[:1], tmp_path / "other")
