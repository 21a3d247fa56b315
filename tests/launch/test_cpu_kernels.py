"""MKL's AVX-512 kernels on AMD processors: when they are chosen, and what is said if not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vae_cli.launch import cpu_kernels

# A processor that should use them, whatever this one is; a product then uses what it has.
CODE = """
import pathlib, sys, warnings
from vae_cli.errors import VaeCliError
from vae_cli.launch import cpu_kernels
cpu_kernels.CPU_INFO = pathlib.Path(sys.argv[1])
with warnings.catch_warnings(record=True) as caught:
    try:
        cpu_kernels.choose_cpu_kernels()
    except VaeCliError as error:
        print(error)
print(*[warning.message for warning in caught], sep="\\n", end="")
"""
AMD = "vendor_id\t: AuthenticAMD\nflags\t\t: fpu avx2 avx512f\n\nvendor_id\t: GenuineIntel\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (AMD, True),
        (AMD.replace("AuthenticAMD", "GenuineIntel"), False),
        (AMD.replace(" avx512f", ""), False),
        ("Processor\t: ARMv8\n", False),
        ("", False),
    ],
)
def test_processors(
    text: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(cpu_kernels, "CPU_INFO", tmp_path / "cpuinfo")
    assert cpu_kernels.has_unused_avx512() is expected


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
@pytest.mark.parametrize(
    ("value", "prepared", "words"),
    [
        ("auto", "", ""),
        ("avx512", "no compiler", "VAE_CLI_CPU_KERNELS=avx512: needs a C compiler"),
        ("avx512", "open to others", "only its owner can change"),
        ("avx12", "", "VAE_CLI_CPU_KERNELS=avx12: must be default, auto or avx512."),
    ],
)
def test_library(value: str, prepared: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(AMD)
    library = tmp_path / "cache" / "vae_cli" / "mkl_avx512.so"
    variables = {cpu_kernels.VARIABLE: value, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    if prepared == "no compiler":
        variables["PATH"] = str(tmp_path)
    if prepared == "open to others":
        library.parent.mkdir(parents=True)
        library.write_bytes(b"")
        library.chmod(0o666)
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path / "cpuinfo")], env=os.environ | variables,
        capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip
    assert words in done.stdout
    assert bool(words) == bool(done.stdout.strip()), done.stdout
    assert library.exists() == (value == "auto" or prepared == "open to others")
