"""Commands as processes of their own, one of which a signal strikes."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CODE = "import sys; from vae_cli.commands.train import main; sys.exit(main(sys.argv[1:]))"
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


def start(
    arguments: list[str], work: Path, program: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    script = Path(sys.executable).with_name("vae-train")
    program = program or ([str(script)] if script.is_file() else [sys.executable, "-c", CODE])
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("VAE_CLI_")}
    return subprocess.run(
        [*program, *arguments], cwd=work, env=inherited | ENVIRONMENT, capture_output=True,
        text=True, timeout=90,
    )  # fmt: skip


DEADLY = """
import os, signal, sys
from vae_cli.commands.train import main
from vae_cli.training.callbacks import Throughput

after_step = Throughput.after_step

def deadly(self, step, device):
    if step == 9 and os.environ.get("LOCAL_RANK", "0") == VICTIM:
        os.kill(os.getpid(), signal.SIGTERM)
    return after_step(self, step, device)

Throughput.after_step = deadly
if __name__ == "__main__":
    sys.exit(main())
"""
