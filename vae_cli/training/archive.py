"""Files of torch.save that somebody else may have made: plain values and tensors, nothing else.

torch's own weights-only reader builds whatever a long list of types allows, of any size that the
file declares. This one looks at the pickle first and lets few names through, those that torch
needs for a tensor; afterwards every tensor must lie within bytes that the file really has.
"""

import pickletools
import zipfile
from pathlib import Path
from typing import Any, BinaryIO, cast

import torch
from torch import Tensor

from vae_cli.files import open_regular

PICKLE = "data.pkl"
LARGEST_PICKLE = 1 << 24  # bytes of all that is no tensor; a run's takes 10,000
MOST_VALUES = 1_000_000  # in all, each place counted anew
DEEPEST = 60  # levels within each other
# The second is in the state of torch's MultiStepLR.
NAMES = {"collections OrderedDict", "collections Counter", "torch._utils _rebuild_tensor_v2"}
STORAGES = {
    f"torch {kind}Storage"
    for kind in ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte",
                 "Bool")
}  # fmt: skip
OPERATIONS = {
    "PROTO", "STOP", "MARK", "GLOBAL", "REDUCE", "BUILD", "BINPERSID", "NONE", "NEWTRUE",
    "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "EMPTY_TUPLE",
    "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_DICT",
    "SETITEM", "SETITEMS", "BINGET", "LONG_BINGET", "BINPUT", "LONG_BINPUT",
}  # fmt: skip


def read_archive(path: Path) -> dict[str, Any]:
    """What a file of torch.save holds, on the CPU.

    Returns:
        Dictionaries, lists, tuples, texts, numbers, truth values, null and contiguous tensors.

    Raises:
        ValueError: If it holds anything else, or less than it declares.
        UnsafeFile: If it is not a regular file.
        Exception: Whatever zipfile and torch raise for a damaged file.
    """
    with open_regular(path) as file:
        _check_pickle(file)
        file.seek(0)
        content = torch.load(file, map_location="cpu", weights_only=True)
        size = file.seek(0, 2)
    plain = _Plain(size)
    found = plain.copy(content)
    if not isinstance(found, dict):
        raise ValueError("it holds no names")
    return found


def check_members(archive: zipfile.ZipFile, size: int) -> None:
    """Checks that a zip archive unpacks to no more than the bytes that it has.

    Args:
        archive: As torch.save writes it: nothing is compressed.
        size: Bytes of the file.

    Raises:
        ValueError: If it is compressed, or its members overlap.
    """
    members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise ValueError("it is compressed")
    if sum(member.file_size for member in members) > size:
        raise ValueError("it declares more than it holds")


def _check_pickle(file: BinaryIO) -> None:
    """Checks the operations and names of the pickle within, before any of them is carried out."""
    with zipfile.ZipFile(file) as archive:
        check_members(archive, file.seek(0, 2))
        names = [m for m in archive.infolist() if m.filename.rpartition("/")[2] == PICKLE]
        if len(names) != 1 or names[0].file_size > LARGEST_PICKLE:
            raise ValueError(f"it needs one {PICKLE} of no more than {LARGEST_PICKLE:,} bytes")
        pickle = archive.read(names[0])
    for operation, argument, _ in pickletools.genops(pickle):
        if operation.name not in OPERATIONS:
            raise ValueError(f"it has the operation {operation.name}")
        if operation.name == "GLOBAL" and argument not in NAMES | STORAGES:
            raise ValueError(f"it names {argument}")


class _Plain:
    """Copies plain values, so that a subclass or a tensor of no bytes never goes any further.

    Args:
        size: Bytes of the file.
    """

    def __init__(self, size: int) -> None:
        self.size, self.values = size, 0
        self.storages: dict[int, int] = {}

    def copy(self, node: Any, depth: int = 0) -> Any:
        """The same value of plain types.

        Raises:
            ValueError: If there is anything else in it, or too much.
        """
        self.values += 1
        if depth > DEEPEST or self.values > MOST_VALUES:
            raise ValueError("it holds too many values, or too deep ones")
        if isinstance(node, Tensor):
            return self._tensor(node)
        if isinstance(node, dict):
            pairs = dict.items(node)
            return {self._key(k): self.copy(v, depth + 1) for k, v in pairs}
        if type(node) in (list, tuple):
            return type(node)(self.copy(child, depth + 1) for child in node)
        if node is None or type(node) in (bool, int, float, str):
            return node
        raise ValueError(f"it holds a {type(node).__name__}")

    def _key(self, key: Any) -> str | int:
        if type(key) not in (str, int):
            raise ValueError("it has a key that is neither text nor a whole number")
        return cast("str | int", key)

    def _tensor(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        self.storages[storage.data_ptr()] = storage.nbytes()
        fits = tensor.numel() * tensor.element_size() <= storage.nbytes()
        if not (fits and tensor.is_contiguous()) or sum(self.storages.values()) > self.size:
            raise ValueError("it declares a tensor that it does not hold")
        return tensor.detach()
