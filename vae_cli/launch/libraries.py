"""Torch and Lightning, set up for a command before it first uses them."""

import ctypes
import logging
import os
import sys
import warnings

from vae_cli.launch.cpu_kernels import choose_cpu_kernels
from vae_cli.launch.deferral import defer_modules

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h; bytes


def prepare_libraries() -> None:
    """Imports torch and Lightning, set up for a command: fast on a CPU, and without advice."""
    # By libgomp's default, idle threads spin a hundred times as long: beside a busy program, that
    # makes small models fifty times slower.
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    _keep_freed_memory()
    defer_modules()
    choose_cpu_kernels()
    import pytorch_lightning  # noqa: F401  it sets the levels of its loggers

    # Their advice is for programmers, not for people who run a command.
    for name in ("pytorch_lightning", "lightning_fabric", "matplotlib.font_manager"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="pytorch_lightning|lightning_fabric")
    warnings.filterwarnings(
        "error", message="Image size .* exceeds limit"
    )  # PIL suspects an attack


def _keep_freed_memory() -> None:
    """Makes glibc keep freed memory for the next tensor, and not return it to the system.

    Otherwise the pages of each tensor of a few megabytes are new to the process, and touching them
    takes as long as computing the tensor.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):  # not in musl
            libc.mallopt(M_MMAP_THRESHOLD, 1 << 25)
            libc.mallopt(M_TRIM_THRESHOLD, 1 << 28)
