"""What the help of a command says beside the comments of the yamls: a sentence and examples."""

from collections.abc import Mapping
from typing import NamedTuple

from vae_cli.config.keys import SHORT_KEYS


class Page(NamedTuple):
    """The part of a command's help that is written by hand.

    Attributes:
        about: What the command does.
        usage: Its words.
        examples: Command lines, each with what it does.
        flags: Those of this command alone, each with what it does.
        often: Keys of groups that are set most.
        short: Keys that stand for an option's key.
    """

    about: str
    usage: str
    examples: tuple[tuple[str, str], ...]
    flags: tuple[tuple[str, str], ...] = ()
    often: tuple[str, ...] = ()
    short: Mapping[str, str] = {}


CONFIG_DIR = (
    "--config-dir DIR",
    "also read your own yamls in DIR. Those in ./conf/vae_cli and $VAE_CLI_CONF are always "
    "read (docs/own_parts.md)",
)
SHARED_FLAGS = (
    ("--completion SHELL", "print the completion for bash, zsh or fish"),
    ("--version", "print the version of vae-cli"),
    ("--help", "print this text; with a group, an option or a key: print what it does"),
)
TRAIN = Page(
    "vae-train trains a variational autoencoder, tests it and draws what it has learned.",
    "[GROUP=OPTION ...] [KEY=VALUE ...]",
    (
        ("vae-train", "digits, two latent dimensions, under a minute"),
        ("vae-train model=flow data=mnist", "planar flows on MNIST"),
        ("vae-train posterior=radial posterior.flow_length=8 latent_dim=10", ""),
        ("vae-train data=image_folder data.root=PHOTOS data.size=64 network=conv", ""),
        ("vae-train resume=last", "resumes the latest run"),
        ("vae-train -m seed=0,1,2", "three runs, one after the other, and a table"),
        ("vae-train -m launcher=joblib sweep=beta", "several runs at once"),
        ("vae-train --help posterior", "the options of a group"),
        ("vae-train --help posterior=planar", "the keys of an option"),
    ),
    (
        (
            "-m, --multirun",
            "run every combination of comma-separated values. The same command with "
            "sweep.resume=FOLDER runs the jobs that are missing or have failed",
        ),
        ("--cfg job", "print the configuration, every key with its value, and do not train"),
        ("--hydra-help", "print the flags of Hydra, which composes the configuration"),
    ),
    (
        "data.batch_size", "data.root", "data.path", "data.binarize", "network.hidden_dims",
        "posterior.flow_length", "kl_schedule.weight", "kl_schedule.warmup_steps", "optimizer.lr",
        "trainer.max_epochs", "trainer.max_steps", "trainer.patience", "accelerator.devices",
        "accelerator.precision",
    ),
)  # fmt: skip
EVAL = Page(
    "vae-eval measures a trained model. It reads all settings from the run's folder. It writes the "
    "numbers to evaluation.json there, and the values of each image to evaluation.npz. After an "
    "interruption, the same command continues where it stopped.",
    "run=RUN_DIR [KEY=VALUE ...]",
    (
        ("vae-eval run=last", "the latest run"),
        ("vae-eval run=RUN_DIR split=validation samples=1000", ""),
        ("vae-eval run='outputs/digits_vae/*'", "several runs, and a table of them"),
        ("vae-eval run=RUN_DIR metric=[active_units] analysis=[]", "one number only"),
        ("vae-eval run=RUN_DIR data.root=FOLDER", "if the images have moved"),
    ),
)
SAMPLE = Page(
    "vae-sample draws pictures of a trained model. It reads all settings from the run's folder.",
    "run=RUN_DIR[,RUN_DIR...] what=PICTURE[,PICTURE...] [KEY=VALUE ...]",
    (
        ("vae-sample run=last what=samples,reconstructions", ""),
        ("vae-sample run=RUN_DIR what=traversals format=gif", "an animation"),
        ("vae-sample run=RUN_DIR what=samples figure.samples.temperature=0.7", ""),
        ("vae-sample run=RUN_DIR what=samples count=10000 format=npz", "one file of many samples"),
        ("vae-sample run=RUN_DIR what=samples count=100 label=3", "all of one class"),
        ("vae-sample run=RUN_DIR what=interpolations from=12 to=87", "between two images"),
        ("vae-sample run=RUN_DIR,OTHER_DIR what=reconstructions", "two runs in one picture"),
    ),
    short=SHORT_KEYS,
)
FINETUNE = Page(
    "vae-finetune trains a classifier on a trained encoder. To compare, it also trains the same "
    "network from fresh weights, and a linear classifier of the codes. It writes finetune.json to "
    "the run's folder and skips what that file already has.",
    "run=RUN_DIR [KEY=VALUE ...]",
    (
        ("vae-finetune run=RUN_DIR labels=100", "a classifier of the codes, from 100 labels"),
        ("vae-finetune run=RUN_DIR labels=100 freeze=false", "the encoder is trained, too"),
        ("vae-finetune run='outputs/digits_vae/*'", "several runs, and a table of them"),
    ),
)
EXPORT = Page(
    "vae-export writes a trained model's encoder and decoder as files that run without this "
    "package. It adds the weights (weights.safetensors) and a description (README.md, "
    "export.json). It needs pip install 'vae-cli[export]'.",
    "run=RUN_DIR [KEY=VALUE ...]",
    (
        ("vae-export run=last", "writes to RUN_DIR/export"),
        ("vae-export run=RUN_DIR format=onnx output=FOLDER", ""),
    ),
)
FLOW = Page(
    "vae-flow fits flows of several lengths to densities on the plane and draws them side by "
    "side, like figure 3 of Rezende & Mohamed (2015, arXiv:1505.05770).",
    "[GROUP=OPTION ...] [KEY=VALUE ...]",
    (
        ("vae-flow", "four densities; planar flows of 2, 8 and 32 maps"),
        ("vae-flow posterior=radial", "radial flows"),
        ("vae-flow energy=two_moons lengths=[1,2,4,8,16] steps=3000", ""),
        ("vae-flow energy=[wave,split_wave] format=svg", ""),
    ),
)
REPORT = Page(
    "vae-report writes one HTML file about one or more runs: numbers with their errors, curves, "
    "pictures, configuration, command lines and environment. The file needs no network.",
    "run=RUN_DIR [KEY=VALUE ...]",
    (
        ("vae-report run=last", "writes RUN_DIR/report.html"),
        ("vae-report run='outputs/digits_vae/*'", "several runs; writes ./report.html"),
        ("vae-report run=RUN_DIR,OTHER_DIR output=both.html", ""),
    ),
)
COMPARE = Page(
    "vae-compare makes a table of runs: what differs between them, their numbers, and how certain "
    "the differences are. Runs that differ only in their seed share one row, with their mean ± its "
    "standard error.",
    "PLACE ... [KEY=VALUE ...]",
    (
        ("vae-compare outputs", "every run below a folder"),
        ("vae-compare outputs where='posterior=planar,latent_dim>=10'", ""),
        ("vae-compare outputs metrics=[elbo,kl]", "only these numbers"),
        ("vae-compare outputs format=latex output=table.tex", ""),
        ("vae-compare outputs over=[]", "each run alone, no means over seeds"),
        ("vae-compare outputs reference=rezende2015", "with rows of published numbers"),
    ),
)
PAGES = {
    "train": TRAIN, "eval": EVAL, "sample": SAMPLE, "finetune": FINETUNE, "export": EXPORT,
    "flow": FLOW, "report": REPORT, "compare": COMPARE,
}  # fmt: skip
