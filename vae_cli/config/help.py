"""The help of a command, written without Hydra so that it comes at once."""

from omegaconf import DictConfig, OmegaConf

from vae_cli.config.folders import built_in_folder, options_by_group, search_path

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


def help_of(config_name: str) -> str:
    """The help of the command whose primary file has that name.

    It lists every group with its options, first those that are taken by themselves.
    """
    built_in = built_in_folder()
    defaults: dict[str, list[str]] = {}
    for item in OmegaConf.load(built_in / f"{config_name}.yaml").defaults:
        for group, options in item.items() if isinstance(item, DictConfig) else ():
            defaults[str(group)] = [options] if isinstance(options, str) else list(options or [])
    lines = []
    for group, options in sorted(options_by_group([built_in, *search_path(None)]).items()):
        ordered = dict.fromkeys([*defaults.get(group, []), *options])
        lines.append(f"  {group:<22}{', '.join(ordered)}")
    return TEXT.format(groups="\n".join(lines))
