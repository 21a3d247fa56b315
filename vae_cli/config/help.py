"""The help of a command, written without Hydra so that it comes at once."""

from collections.abc import Iterable, Mapping
from pathlib import Path

TEXT = """\
vae-train trains a variational autoencoder, tests it and draws what it has learned.

Usage: vae-train [GROUP=OPTION ...] [KEY=VALUE ...]

  vae-train                                 digits, two latent dimensions, under a minute
  vae-train model=flow data=mnist           planar flows on MNIST
  vae-train posterior=radial posterior.flow_length=8 latent_dim=10
  vae-train data=image_folder data.root=PHOTOS data.size=64 likelihood=gaussian network=conv
  vae-train resume=outputs/...              goes on with a run
  vae-train -m seed=0,1,2                   several runs, one after the other

Groups, to choose one option of each (what is taken by itself comes first):

{groups}

Keys, to set any of them (vae-train --cfg job shows them all, with their values):

  seed  latent_dim  data.batch_size  data.root  data.path  data.binarize
  network.hidden_dims  posterior.flow_length  kl_schedule.warmup_steps  optimizer.lr
  trainer.max_epochs  trainer.max_steps  accelerator.devices  accelerator.precision

Flags:

  -m, --multirun    run every combination of the values that commas separate
  --cfg job         show the configuration instead of training
  --config-dir DIR  take yamls of your own from DIR, too; ./conf and $VAE_CLI_CONF are taken anyway
  --hydra-help      the flags of Hydra, which does the composing
  --help            this text
"""


def options_by_group(folders: Iterable[Path]) -> dict[str, list[str]]:
    """The options of every group that the folders' yamls make up."""
    groups: dict[str, list[str]] = {}
    for folder in folders:
        for file in sorted(folder.rglob("*.yaml")):
            group = file.parent.relative_to(folder).as_posix()
            if group != ".":
                groups.setdefault(group, []).append(file.stem)
    return groups


def help_text(folders: Iterable[Path], defaults: Mapping[str, list[str]]) -> str:
    """The text that ``--help`` prints.

    Args:
        folders: Where the configurations are.
        defaults: The options that each group has by itself.
    """
    lines = []
    for group, options in sorted(options_by_group(folders).items()):
        first = defaults.get(group, [])
        ordered = dict.fromkeys([*first, *options])
        lines.append(f"  {group:<22}{', '.join(ordered)}")
    return TEXT.format(groups="\n".join(lines))
