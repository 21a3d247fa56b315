"""Datasets that are fetched: from a server, from files put in place, and when that fails."""

import gzip
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from published import PUBLISHED, Published

from vae_cli.data import files
from vae_cli.data.dataset import Dataset
from vae_cli.errors import InvalidOption


@dataclass(frozen=True)
class Site:
    """A server of published files that a loader fetches from.

    Attributes:
        published: The dataset.
        folder: What is served.
        root: The root to load from, which is not there yet.
    """

    published: Published
    folder: Path
    root: Path

    def place_files(self) -> None:
        """Puts the published files where they belong, instead of on the server."""
        below = self.root / self.published.folder
        below.mkdir(parents=True)
        for file in [path for path in self.folder.iterdir() if path.is_file()]:
            file.replace(below / file.name)


@pytest.fixture(params=PUBLISHED)
def site(
    request: pytest.FixtureRequest,
    served: tuple[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Site:
    monkeypatch.setenv("no_proxy", "*")
    published, (url, folder) = PUBLISHED[request.param], served
    below = folder / tmp_path.name
    below.mkdir()
    published.write(below, monkeypatch)
    published.point(f"{url}{below.name}/", monkeypatch)
    return Site(published, below, tmp_path / "not" / "yet")


def parts(dataset: Dataset) -> list[torch.Tensor]:
    return [part.pixels for part in (dataset.train, dataset.validation, dataset.test)]


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_download_gives_what_is_documented(site: Site) -> None:
    published = site.published
    dataset = published.load(str(site.root))
    three = (dataset.train, dataset.validation, dataset.test)
    assert tuple(map(len, three)) == published.sizes
    assert dataset.levels == published.levels
    assert {(part.shape, part.pixels.dtype) for part in three} == {(published.shape, torch.uint8)}
    assert max(pixels.max() for pixels in parts(dataset)) == published.levels - 1

    everything = torch.cat(parts(dataset)).flatten(1)
    assert len(everything.unique(dim=0)) == sum(published.sizes)  # no image in two parts
    labels = torch.cat([part.labels for part in three])
    assert labels.dtype == torch.int64
    assert labels.min() == (0 if published.classes else -1)
    assert labels.max() == published.classes - 1


def test_second_load_fetches_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    first = site.published.load(str(site.root))
    site.published.point("http://127.0.0.1:9/", monkeypatch)
    second = site.published.load(str(site.root))
    assert all(map(torch.equal, parts(first), parts(second)))
    assert not list(site.root.glob(".fetching-*"))


def test_files_put_in_place_are_enough(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    downloaded = site.published.load(str(site.root.with_name("other")))
    site.place_files()
    site.published.point("http://127.0.0.1:9/", monkeypatch)
    assert all(map(torch.equal, parts(downloaded), parts(site.published.load(str(site.root)))))


def test_failed_download_leaves_nothing_and_names_files_and_folder(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = [path.name for path in site.folder.iterdir() if path.is_file()]
    site.published.point("http://127.0.0.1:9/", monkeypatch)  # where nobody listens
    with pytest.raises(InvalidOption) as caught:
        site.published.load(str(site.root))
    message = str(caught.value)
    assert message.startswith(f"root={site.root}: the files of ")
    assert "refused" in message
    assert "\n" not in message
    assert all(name in message for name in published)
    assert str(site.root / site.published.folder) in message
    assert list(tmp_path.iterdir()) == []


def test_damaged_download_leaves_nothing(site: Site, tmp_path: Path) -> None:
    for file in files_below(site.folder):
        file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(InvalidOption, match="can't be fetched"):
        site.published.load(str(site.root))
    assert list(tmp_path.iterdir()) == []


def test_damaged_files_on_disk_are_reported(site: Site) -> None:
    site.published.load(str(site.root))
    for file in files_below(site.root):
        file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(InvalidOption, match="can't be read") as caught:
        site.published.load(str(site.root))
    advised = re.search(r"Remove (\S+), then put", str(caught.value))
    shutil.rmtree(advised[1])
    site.published.load(str(site.root))


@pytest.mark.parametrize("site", ["static binarised MNIST"], indirect=True)
def test_compressed_text_is_read_too(site: Site) -> None:
    plain = site.published.load(str(site.root))
    for file in files_below(site.root):
        file.with_name(file.name + ".gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    assert all(map(torch.equal, parts(plain), parts(site.published.load(str(site.root)))))


def test_root_that_can_not_be_written(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidOption, match=r"can't be fetched \(.*Not a directory"):
        site.published.load(str(tmp_path / "file" / "root"))


def test_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAE_CLI_DATA", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert files.data_root(None) == Path.home() / ".cache" / "vae_cli"
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert files.data_root(None) == Path("/cache/vae_cli")
    monkeypatch.setenv("VAE_CLI_DATA", "/data")
    assert files.data_root(None) == Path("/data")
    assert files.data_root("~/mine") == Path.home() / "mine"
    monkeypatch.setenv("VAE_CLI_DATA", "~nobody of that name/data")
    with pytest.raises(InvalidOption, match="names the home folder of an unknown user"):
        files.data_root(None)


def test_nothing_is_fetched_into_the_folder_of_a_stranger(site: Site, tmp_path: Path) -> None:
    with files.reading_only(True), pytest.raises(InvalidOption, match="have moved since the run"):
        site.published.load(str(site.root))
    assert list(tmp_path.iterdir()) == []
