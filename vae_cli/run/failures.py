"""What stops a run and is no mistake of its settings, in one line with the way to resume it."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from vae_cli.errors import Interrupted, VaeCliError, shell_word
from vae_cli.run.folder import RunFolder


def how_to_resume(folder: RunFolder) -> str:
    """The last words of a run that is stopped."""
    return f"stopped. Resume with vae-train resume={shell_word(folder.path)}"


@contextmanager
def explain_failures(folder: RunFolder) -> Iterator[None]:
    """Raises the line in place of what stopped the run.

    Raises:
        VaeCliError: If the folder, the disk or another process fails.
        Interrupted: If the run is interrupted.
    """
    from vae_cli.run.fit import LOST
    from vae_cli.training.checkpoint_file import CheckpointError

    remedy = f"vae-train resume={shell_word(folder.path)}"
    hook, threading.excepthook = threading.excepthook, lambda _: None  # threads that wait fail, too
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as stop:  # the latter is Lightning's for the former
        raise Interrupted(how_to_resume(folder)) from stop
    except (OSError, CheckpointError) as error:
        if not folder.path.is_dir():
            raise VaeCliError(f"{folder.path}: the folder is gone, and with it the run") from error
        if isinstance(error, CheckpointError):
            raise
        where, what = os.fsdecode(error.filename or folder.path), error.strerror or error
        raise VaeCliError(f"{where}: {what}. Repair that, then resume with {remedy}") from error
    except RuntimeError as error:
        if not any(word in str(error) for word in LOST):
            raise
        rule = "another process of the run has ended"
        raise VaeCliError(f"{folder.path}: {rule}. Resume with {remedy}") from error
    finally:
        threading.excepthook = hook
