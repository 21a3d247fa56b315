"""Matrix products of AMD processors that have AVX-512.

PyTorch multiplies matrices with Intel's MKL, which asks one function whether the processor is
Intel's and leaves AVX-512 unused on others. A library of three lines that is loaded before torch
answers in its place. It is compiled once, into the user's cache.
"""

import ctypes
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from vae_cli.errors import Notice, VaeCliError

VARIABLE = "VAE_CLI_CPU_KERNELS"  # of the environment: kernels belong to a machine, not to a run
CHOICES = ("default", "auto", "avx512")
CPU_INFO = Path("/proc/cpuinfo")
SOURCE = """
int vae_cli_was_asked = 0;
int mkl_serv_intel_cpu_true(void) { vae_cli_was_asked = 1; return 1; }
"""
TOLERANCE = 1e-5  # of a float32 product of 64 terms, relative to its largest entry


def choose_cpu_kernels() -> None:
    """Loads the library if ``$VAE_CLI_CPU_KERNELS`` asks for it; torch must not be loaded yet.

    ``auto`` is silent where it changes nothing, ``avx512`` says why. Where the library cannot be
    had, MKL's default kernels are used.

    Raises:
        VaeCliError: If the variable has another value, or the kernels give wrong products.
    """
    choice = os.environ.get(VARIABLE) or "default"
    if choice not in CHOICES:
        raise VaeCliError(f"{VARIABLE}={choice}: must be {', '.join(CHOICES[:-1])} or avx512.")
    if choice == "default":
        return
    if not has_unused_avx512():
        if choice == "avx512":
            _warn("the processor is not an AMD one with AVX-512 on Linux")
    elif "torch" in sys.modules:
        _warn("torch is loaded already")
    else:
        try:
            library = ctypes.CDLL(str(_compiled()), ctypes.RTLD_GLOBAL)
        except (OSError, subprocess.SubprocessError) as error:
            _warn(str(error))
        else:
            _check_products(library)


def has_unused_avx512() -> bool:
    """Whether this is an AMD processor with AVX-512, on Linux."""
    try:
        lines = set(CPU_INFO.read_text(encoding="utf-8").split("\n\n", 1)[0].splitlines())
    except OSError:
        return False
    fields = {name.strip(): text.split() for name, _, text in (ln.partition(":") for ln in lines)}
    return fields.get("vendor_id") == ["AuthenticAMD"] and "avx512f" in fields.get("flags", [])


def _warn(reason: str) -> None:
    choice = os.environ[VARIABLE]
    text = f"{VARIABLE}={choice}: {reason}; using MKL's default kernels"
    warnings.warn(Notice(text), stacklevel=2)


def _compiled() -> Path:
    """The library in the user's cache; compiled there if it is missing.

    Raises:
        OSError: If there is no compiler, the cache cannot be written, or the file may be changed by
            other users.
        subprocess.SubprocessError: If the compiler fails.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vae_cli"
    library = cache / "mkl_avx512.so"
    if not library.exists():
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise OSError("needs a C compiler (cc)")
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            made = Path(folder) / library.name
            command = [compiler, "-shared", "-fPIC", "-O1", "-x", "c", "-", "-o", str(made)]
            subprocess.run(
                command, input=SOURCE, text=True, capture_output=True, check=True, timeout=60
            )
            made.chmod(0o500)
            made.replace(library)  # processes that start together each make the same file
    found = library.lstat()
    is_own = found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if not (stat.S_ISREG(found.st_mode) and is_own):
        raise OSError(f"{library} is not a file that only its owner can change")
    return library


def _check_products(library: ctypes.CDLL) -> None:
    """Checks a product against float64, and that MKL has asked."""
    import torch

    left, right = torch.randn(2, 64, 64, generator=torch.Generator().manual_seed(0))
    exact = left.double() @ right.double()
    if not (left @ right - exact).abs().max() < TOLERANCE * exact.abs().max():
        raise VaeCliError(f"{VARIABLE}: products are wrong on this processor. Unset it.")
    if not ctypes.c_int.in_dll(library, "vae_cli_was_asked").value:
        _warn("this build of torch does not ask for the processor's maker")
