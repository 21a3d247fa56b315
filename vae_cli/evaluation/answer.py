"""An evaluation that is stored already, found again without torch.

Beside its numbers an evaluation keeps its source: which files of data were read and what the system
says of them, the options that choose images, and the metrics that the model cannot have. While all
of that, the checkpoint's SHA-256 and the versions are the same, so are the numbers. Where there is
any doubt, nothing is found, and the images themselves are compared.
"""

import hashlib
import importlib.util
import json
import os
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from omegaconf import DictConfig, OmegaConf

import vae_cli
from vae_cli.files import UnsafeFile, open_regular, read_bytes, read_json
from vae_cli.run.files import sha256_of
from vae_cli.run.folder import RunFolder
from vae_cli.run.recorded import LONGEST, SPLITS, valid_values

GROUPS = ("metric", "analysis")  # of what vae-eval can measure
SOURCE = "source"  # key of a record under which its source stands
WHOLE_FOLDER = "vae_cli.data.image_folder.load"  # the data that are all files of their root
CHOICES = ("split", "seed", "checkpoint", "data", "trust")  # keys that choose model and images
PLACES = ("VAE_CLI_DATA", "XDG_CACHE_HOME", "HOME")  # variables that say where data are
GPUS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")  # of which one is there if torch sees a GPU
TEXTS = ("data", "binarize", "device", "images_sha256")  # that a record has
NUMBERS = ("images", "latent_dim")
FEW_FILES = 100  # listed one by one; of more the folder that holds them is
MOST_FILES = 300_000  # looked at
LARGEST_RECORD = 1 << 28  # bytes of a run's record of its images
TICK = 50_000_000  # nanoseconds by which a file system's clock may be late


class Answer(NamedTuple):
    """A stored evaluation.

    Attributes:
        record: As ``evaluate`` returns it.
        notes: What the user should know of the images, a line each.
    """

    record: dict[str, Any]
    notes: list[str]


def stored_answer(path: str, cfg: DictConfig, named: Collection[str]) -> Answer | None:
    """The evaluation that a run's folder holds; None unless it is sure to be what is asked for.

    Args:
        path: The run's folder.
        cfg: As composed from ``eval.yaml``.
        named: The metrics and analyses that the user asks for by name.
    """
    folder = RunFolder(path)
    with suppress(UnsafeFile, OSError, ValueError, KeyError, zipfile.BadZipFile):
        record = read_json(folder.evaluation).get(cfg.split) if cfg.split in SPLITS else None
        source = record.pop(SOURCE, None) if isinstance(record, dict) else None
        if not isinstance(source, dict) or record is None:
            return None
        doubts: list[str] = []
        found = valid_values(record, "", doubts.append)
        is_same = (
            not doubts
            and _has_all(found, source.get("left_out"), cfg, named)
            and _is_of(found, cfg, folder)
            and isinstance(source.get("data"), str)
            and source == {**source, **state_of(cfg, folder, source)}
            and _is_whole(folder.evaluated)
        )
        notes = source.get("notes")
        if is_same and _are_notes(notes):
            return Answer(found, notes)
    return None


def _are_notes(notes: object) -> TypeGuard[list[str]]:
    return isinstance(notes, list) and all(isinstance(n, str) and len(n) <= LONGEST for n in notes)


def source_of(
    cfg: DictConfig,
    config: DictConfig,
    folder: RunFolder,
    opened: Collection[str],
    began: int,
    left_out: Mapping[str, Collection[str]],
    notes: Collection[str],
) -> dict[str, Any] | None:
    """What an evaluation keeps to be found again; None where a change of the data could be missed.

    Args:
        cfg: As composed from ``eval.yaml``.
        config: Of the run.
        folder: Of the run.
        opened: The files of data that were read.
        began: Nanoseconds since 1970, when the first was.
        left_out: By group, the metrics and analyses that the model cannot have.
        notes: What the user should know of the images.
    """
    target = str(config.data.get("_target_"))
    if not target.startswith("vae_cli.") or cfg.data.changed != "stop":
        return None
    files, tree = sorted(set(opened) - {str(folder.data.absolute())}), None
    root = config.data.get("root") if cfg.data.root is None else cfg.data.root
    if target == WHOLE_FOLDER:
        tree, files = str(Path(str(root)).expanduser().absolute()), []
    elif len(files) > FEW_FILES:
        tree, files = os.path.commonpath(files), []
    places = {"files": files, "tree": tree}
    state = state_of(cfg, folder, places)
    if state["data"] is None or state["latest"] > began - TICK:
        return None
    names = {group: sorted(left_out[group]) for group in GROUPS}
    return {**places, **state, "left_out": names, "notes": [*notes]}


def state_of(cfg: DictConfig, folder: RunFolder, places: Mapping[str, Any]) -> dict[str, Any]:
    """The state now of the options, the run's record of its images and the files of data.

    Args:
        cfg: As composed from ``eval.yaml``.
        folder: Of the run.
        places: The ``files`` of data, and the ``tree`` of files that is one.
    """
    options = OmegaConf.to_container(cfg)
    assert isinstance(options, dict)
    places_of = [str(Path.cwd()), *(os.environ.get(name) for name in PLACES)]  # of relative paths
    text = json.dumps([{key: options[key] for key in CHOICES}, places_of], sort_keys=True)
    latest = 0
    try:
        digest = hashlib.sha256(read_bytes(folder.data, LARGEST_RECORD))
        for path in _paths(places):
            state = path.stat()
            latest = max(latest, state.st_ctime_ns)
            found = (str(path), state.st_size, state.st_mtime_ns, state.st_ctime_ns)
            digest.update(repr(found).encode())
    except (UnsafeFile, OSError, ValueError, TypeError):
        return {"options": text, "data": None, "latest": 0}
    return {"options": text, "data": digest.hexdigest(), "latest": latest}


def _paths(places: Mapping[str, Any]) -> Iterator[Path]:
    """The files of data.

    Raises:
        ValueError: If there are too many, or links to folders among them.
    """
    yield from map(Path, places["files"])
    count, tree = 0, places["tree"]
    for parent, folders, names in os.walk(tree, onerror=_raise) if tree is not None else ():
        folders.sort()
        count += len(names)
        if count > MOST_FILES or any(Path(parent, name).is_symlink() for name in folders):
            raise ValueError("not all of it can be looked at")
        yield from (Path(parent, name) for name in sorted(names))


def _raise(error: OSError) -> None:
    raise error


def _has_all(
    record: Mapping[str, Any], left_out: object, cfg: DictConfig, named: Collection[str]
) -> bool:
    """Whether a record has all that is to be measured, with the same options."""
    settings = record.get("settings")
    if not isinstance(settings, dict) or not isinstance(left_out, dict):
        return False
    wanted = [(group, str(name)) for group in GROUPS for name in cfg.get(group) or ()]
    for group, name in wanted:
        known, missing = settings.get(group), left_out.get(group)
        if not isinstance(known, dict) or not isinstance(missing, list):
            return False
        is_known = known.get(name) == OmegaConf.to_container(cfg[group][name])
        if not is_known and (name not in missing or name in named):
            return False
    return bool(wanted)


def _is_of(record: Mapping[str, Any], cfg: DictConfig, folder: RunFolder) -> bool:
    """Whether a record is of the checkpoint, the seed, the device and the versions at hand."""
    checkpoint = folder.best if cfg.checkpoint == "best" else folder.last
    has_gpu = cfg.device != "cpu" and any(Path(name).exists() for name in GPUS)
    expected = {
        "split": cfg.split,
        "seed": cfg.seed,
        "device": "cuda" if has_gpu else "cpu",
        "checkpoint": checkpoint.name,
        "versions": {"vae-cli": vae_cli.__version__, "torch": _torch_version()},
    }
    return (
        cfg.device != "gpu"
        and all(record.get(key) == value for key, value in expected.items())
        and all(isinstance(record.get(key), str) for key in TEXTS)
        and all(type(record.get(key)) is int for key in NUMBERS)
        and checkpoint.is_file()
        and record.get("checkpoint_sha256") == sha256_of(checkpoint)
    )


def _torch_version() -> str | None:
    """torch's version, read from its file: an import takes seconds."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    found = re.search(r"""^__version__ = ['"](.+?)['"]""", text, re.MULTILINE)
    return found and found.group(1)


def _is_whole(path: Path) -> bool:
    """Whether the values of the images are all there."""
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        members, size = archive.infolist(), file.seek(0, os.SEEK_END)
        is_plain = all(member.compress_type == zipfile.ZIP_STORED for member in members)
        fits = sum(member.file_size for member in members) <= size
        return is_plain and fits and archive.testzip() is None
