"""No process of a run outlives the others, whichever of them dies, by what, and when."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from processes import ENVIRONMENT

DEADLY = """
import os, sys
from pkgutil import resolve_name
from vae_cli.training import parent

parent.LINGER = 1.0
rank, number, place = os.environ["VICTIM"].split(",")

def strike(original):
    def struck(*args, **kwargs):
        if os.environ.get("LOCAL_RANK", "0") == rank:
            os.kill(os.getpid(), int(number))
        return original(*args, **kwargs)
    return struck

owner, _, name = place.replace(":", ".").rpartition(".")
setattr(resolve_name(owner), name, strike(resolve_name(place)))

from vae_cli.commands.train import main
sys.exit(main())
"""
BRIEF = [
    "accelerator=ddp_cpu", "data.batch_size=100", "trainer.max_steps=20", "logger=none",
    "metric=[]", "figure=[]", "network.hidden_dims=[8]", "hydra.run.dir=run",
]  # fmt: skip


def test_all_end_with_the_first_that_does(tmp_path: Path) -> None:
    """One that is stopped while they train: ``test_processes``."""
    (tmp_path / "deadly.py").write_text(DEADLY, encoding="utf-8")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("VAE_CLI_")}
    victim = {"VICTIM": f"0,{signal.SIGKILL:d},torch.distributed:init_process_group"}
    done = subprocess.run(  # until nobody has the pipes open any more
        [sys.executable, "deadly.py", *BRIEF], cwd=tmp_path, env=inherited | ENVIRONMENT | victim,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, "")
