"""Kind 9: files of numbers that declare more than they hold, or are something else."""

import io
import pickle
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from rows import Row
from strange_run import Evil, StrangeRun


def rows() -> Iterator[Row]:
    for name, make in NUMBERS.items():
        yield Row(9, f"evaluation.npz is {name}", partial(_write, "evaluation.npz", make))
    for name, content in JSONS.items():
        for file in ("results.json", "evaluation.json", "finetune.json"):
            yield Row(9, f"{file} is {name}", partial(_write, file, content.encode))


def _write(name: str, make: Callable[[], bytes], run: StrangeRun) -> None:
    run.write(name, make())


def _archive(header: bytes, more: bytes = b"") -> bytes:
    """An npz of one array with a header of the stranger's."""
    padded = header.ljust(118 - 1) + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(padded).to_bytes(2, "little") + padded + more
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("test/elbo.npy", content)
    return buffer.getvalue()


def _objects() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **{"test/elbo": np.array([Evil()], dtype=object)})  # type: ignore[arg-type]
    return buffer.getvalue()


def _header(shape: str, kind: str = "<f8") -> bytes:
    return f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()


NUMBERS = {
    "vast": lambda: _archive(_header("(1000000000000,)")),
    "of negative size": lambda: _archive(_header("(-1,)")),
    "a pickle": _objects,
    "a pickle without one": lambda: _archive(_header("(1,)", "|O"), pickle.dumps(Evil())),
    "a header of code": lambda: _archive(b"__import__('os').mkdir('hit')"),
    "deep in its header": lambda: _archive(b"(" * 100),
    "zeros that unpack": lambda: _archive(_header("(20000000,)"), bytes(160_000_000)),
    "text": lambda: b"numbers",
    "cut off": lambda: _archive(_header("(2,)"), bytes(16))[:100],
    "of a name that leads out": lambda: _named("../../outside/hit"),
    "packed twice": lambda: zlib.compress(bytes(1000)),
}


def _named(name: str) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **{name: np.zeros(3)})
    return buffer.getvalue()


JSONS = {
    "100,000 levels": '{"test": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "a million digits": '{"test": ' + "9" * 1_000_000 + "}",
    "numbers beyond floats": '{"test": {"elbo": 1e999, "kl": -1e999}, "test/elbo": 1e999}',
    "NaN": '{"test": {"elbo": NaN, "kl": Infinity}, "test/elbo": NaN, "test/kl": -Infinity}',
    "a list": "[1, 2]",
    "a number": "5",
    "null": "null",
    "cut off": '{"test": {"elbo": -4',
    "of wrong types": '{"test": 5, "validation": [], "test/elbo": "x", "test/kl": {}, "seed": []}',
    "of wrong types within": '{"test": {"elbo": "x", "elbo_se": [], "kl": {}, "images": "many"}}',
    "of dictionaries": '{"test/elbo": {"a": 1}, "test/images": [1], "test": {"elbo": {"a": 1}}}',
    "of numbers of 64 bits": '{"test/elbo": 9223372036854775808, "test": {"images": -1}}',
    "of 200,000 names": "{" + ",".join(f'"k{i}": 1' for i in range(20_000)) + "}",
    "of half a pair of surrogates": '{"test/\\ud800": 1, "data/binarize": "\\ud800"}',
    "doubled": '{"test/elbo": 1, "test/elbo": 2}',
}
