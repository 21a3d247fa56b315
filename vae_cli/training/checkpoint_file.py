"""A checkpoint as a file that is known to be whole.

It is what torch.save writes, a zip archive, whose comment holds the digest of all that stands
before: torch and everybody else can read it. The CRC-32 in a zip archive would not do. It does not
cover the headers, and a bit that flips there can give other weights without any error.
"""

import errno
import hashlib
import os
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import torch
from pytorch_lightning.plugins.io import CheckpointIO

from vae_cli.errors import VaeCliError
from vae_cli.files import UnsafeFile, open_regular
from vae_cli.folders import open_new, opened_folder
from vae_cli.memory import as_bytes
from vae_cli.training.archive import check_members, read_archive

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
CHUNK = 1 << 20  # bytes read at once
LENGTH = 64  # of a digest in hexadecimal digits
PARTS = {"state_dict": dict, "config": str, "global_step": int, "callbacks": dict}
COUNTS = ("global_step", "validated_at", "skipped", "restores")  # if it has them


class CheckpointError(VaeCliError):
    """A checkpoint that can't be written, or read."""


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What a run's checkpoint holds, see ``read_sealed``.

    Raises:
        CheckpointError: If it is missing, damaged or no checkpoint: ``last.ckpt is missing``.
    """
    found = read_sealed(path)
    wrong = [name for name, kind in PARTS.items() if not isinstance(found.get(name), kind)]
    counts = {name: found[name] for name in COUNTS if name in found}
    wrong += [name for name, n in counts.items() if type(n) is not int or n < 0]
    if not wrong and not all(isinstance(state, dict) for state in found["callbacks"].values()):
        wrong.append("callbacks")
    if wrong:
        raise CheckpointError(f"{path.name} is not a checkpoint of a run (see its {wrong[0]})")
    return found


def read_sealed(path: Path) -> dict[str, Any]:
    """What ``write_sealed`` or torch.save wrote, on the CPU: tensors and plain values only.

    Raises:
        CheckpointError: If it is missing or damaged.
    """
    try:
        if not _is_whole(path):
            raise CheckpointError(f"{path.name} is damaged (its digest differs)")
        return read_archive(path)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path.name} is missing") from error
    except CheckpointError:
        raise
    except UnsafeFile as error:
        raise CheckpointError(str(error)) from error
    except Exception as error:  # zipfile and torch raise whatever the damage leads to
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise CheckpointError(f"{path.name} can't be read ({reason})") from error


def _is_whole(path: Path) -> bool:
    with open_regular(path) as file:
        with zipfile.ZipFile(file) as archive:
            seal = archive.comment
            if not seal:  # of a version that wrote none
                check_members(archive, file.seek(0, os.SEEK_END))
                return archive.testzip() is None
        digest, left = _digest(), file.seek(-len(seal) - 2, os.SEEK_END)
        if file.read(2) != LENGTH.to_bytes(2, "little"):
            return False
        file.seek(0)
        while left > 0:
            part = file.read(min(CHUNK, left))
            digest.update(part)
            left -= len(part)
    digest.update(b"\0\0")  # the comment's length, before there was one
    return digest.hexdigest().encode() == seal


def _digest() -> Any:
    return hashlib.blake2b(digest_size=LENGTH // 2)


class _Digesting:
    """A file to write that digests what goes through."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest = file, _digest()

    def write(self, content: Any) -> int:
        self.digest.update(content)
        return self.file.write(content)

    def flush(self) -> None:
        self.file.flush()


def write_sealed(checkpoint: Any, file: BinaryIO) -> None:
    """Writes what ``read_sealed`` reads.

    Args:
        checkpoint: Tensors and plain values.
        file: Open for reading and writing, and empty.
    """
    digesting = _Digesting(file)
    try:
        torch.save(checkpoint, digesting)  # type: ignore[arg-type]  # it only writes and flushes
    except RuntimeError as error:  # of an archive that torch cannot end, after a write has failed
        if isinstance(error.__context__, OSError):
            raise error.__context__ from error
        raise
    file.seek(-2, os.SEEK_END)  # the last field of an archive is the length of its comment
    file.write(LENGTH.to_bytes(2, "little") + digesting.digest.hexdigest().encode())


class DurableCheckpointIO(CheckpointIO):
    """Writes to the disk itself, and reads tensors and plain values only: no code is run.

    Attributes:
        failure: Why the latest write failed. Not raised, for the other processes wait meanwhile.
    """

    def __init__(self) -> None:
        self.failure: str | None = None

    def save_checkpoint(self, checkpoint: Any, path: Any, storage_options: Any = None) -> None:
        """See Lightning."""
        self.failure = None
        path = Path(path)
        try:
            with opened_folder(path.parent) as folder:
                _write_durably(checkpoint, path.name, folder)
        except OSError as error:
            self.failure = _explained(error, path, checkpoint)

    def load_checkpoint(
        self, path: Any, map_location: Any = None, weights_only: bool | None = True
    ) -> dict[str, Any]:
        """See Lightning."""
        return read_checkpoint(Path(path))

    def remove_checkpoint(self, path: Any) -> None:
        """See Lightning."""
        Path(path).unlink(missing_ok=True)


def _write_durably(checkpoint: Any, name: str, folder: int) -> None:
    try:
        with open_new(name, folder) as file:
            write_sealed(checkpoint, file)
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        if not isinstance(error, FileExistsError):  # else it is somebody else's
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)
        raise


def _explained(error: OSError, path: Path, checkpoint: Any) -> str:
    if error.errno not in FULL:
        return f"{path.parent}: no checkpoint can be written ({error.strerror})"
    needed, free = _size(checkpoint), shutil.disk_usage(path.parent).free
    return (
        f"{path.parent}: no room for a checkpoint ({error.strerror}): it takes "
        f"{as_bytes(needed)} and {as_bytes(free)} are free. The previous one is kept"
    )


def _size(node: Any) -> int:
    """Bytes of the tensors in a nested state."""
    if isinstance(node, torch.Tensor):
        return node.numel() * node.element_size()
    children = node.values() if isinstance(node, dict) else node
    return (
        sum(map(_size, children)) if isinstance(children, (list, tuple, type({}.values()))) else 0
    )
