"""The help of a command, written without Hydra so that it comes at once."""

from vae_cli.config.folders import default_options, groups_of, search_path

TRAIN = """\
vae-train trains a variational autoencoder, tests it and draws what it has learned.

Usage: vae-train [GROUP=OPTION ...] [KEY=VALUE ...]

  vae-train                                 digits, two latent dimensions, under a minute
  vae-train model=flow data=mnist           planar flows on MNIST
  vae-train posterior=radial posterior.flow_length=8 latent_dim=10
  vae-train data=image_folder data.root=PHOTOS data.size=64 network=conv
  vae-train resume=outputs/...              resumes a run
  vae-train -m seed=0,1,2                   several runs, one after the other, and a table
  vae-train -m launcher=joblib sweep=beta   several at once; launcher=submitit_slurm: a cluster's

Groups, one option of each (the default is listed first):

{groups}

Keys, to set any of them (vae-train --cfg job shows them all, with their values):

  seed  latent_dim  data.batch_size  data.root  data.path  data.binarize
  network.hidden_dims  posterior.flow_length  kl_schedule.warmup_steps  optimizer.lr
  trainer.max_epochs  trainer.max_steps  accelerator.devices  accelerator.precision

Flags:

  -m, --multirun    run every combination of the values that commas separate; the same again with
                    sweep.resume=FOLDER runs what is missing or has failed
  --cfg job         show the configuration instead of training
  --config-dir DIR  take yamls of your own from DIR, too; ./conf/vae_cli and $VAE_CLI_CONF are
                    taken anyway, and ./conf if it holds nothing else
  --hydra-help      the flags of Hydra, which does the composing
  --version         the version of vae-cli
  --help            this text
"""
COMPARE = """\
vae-compare lays runs side by side: what differs, their numbers, and how surely one is better.

Usage: vae-compare PLACE ... [KEY=VALUE ...]

  vae-compare outputs                          every run anywhere below
  vae-compare outputs where='posterior=planar,latent_dim>=10'
  vae-compare outputs metrics=[elbo,kl]        best by the bound
  vae-compare outputs format=latex output=table.tex
  vae-compare outputs over=[]                  each run alone, no means over seeds
  vae-compare outputs reference=rezende2015    beside the literature's numbers

Runs that differ in nothing but the seed are one row: their mean, ± its standard error. The numbers
are vae-eval's where it has been, else those of the test at the end of training. Where vae-eval has
kept the values of each image, the difference to the best is given with its 95 % interval.

References:

{groups}

Keys:

  split     test, validation or train
  metrics   the numbers; the first decides what is best
  where     comma-separated conditions: = != < <= > >=
  rank      validation | test: the images by which the best is chosen; test makes it look too good
  over      keys in which the runs of one row may differ
  mixed     put runs of different data or treatment into one table
  format    terminal, csv, markdown or latex
  output    the file; by default the terminal
"""
EVAL = """\
vae-eval measures a trained model, from its run's folder alone.

Usage: vae-eval run=RUN_DIR [KEY=VALUE ...]

  vae-eval run=outputs/digits_vae/2026-11-20_09-00-00
  vae-eval run=RUN_DIR split=validation samples=1000
  vae-eval run='outputs/digits_vae/*'          several runs, and a table of them
  vae-eval run=RUN_DIR,OTHER_DIR mixed=true    in one table, though their data differ
  vae-eval run=RUN_DIR data.root=FOLDER        the images have moved

What was interrupted goes on where it stopped when the command is given again; the numbers are put
into the run's folder, evaluation.json, and those of each image into evaluation.npz.

What is measured (by default everything): metric=[active_units]

{groups}

Keys:

  run          a folder, last, best:FOLDER, a beginning, a pattern; several comma-separated
  split        test, validation or train
  samples      draws of z an image, for log p(x) and the bound (5000)
  seed         of all noise (0)
  checkpoint   best or last
  device       auto, cpu or gpu
  data.root, data.path    where the images are now, or others, which are then measured: all of them
  data.changed            accept: continue with data that have changed since the run was started
  mixed        put runs of different data or treatment into one table
  trust        let the run name classes that are not in this package: docs/security.md
  metric.M.KEY, analysis.A.KEY    their own options: analysis.mutual_information.images=5000

Flags:

  --config-dir DIR  take yamls of your own from DIR, too; ./conf/vae_cli and $VAE_CLI_CONF are
                    taken anyway, and ./conf if it holds nothing else
  --version         the version of vae-cli
  --help            this text
"""
SAMPLE = """\
vae-sample draws pictures of a trained model, from its run's folder alone.

Usage: vae-sample run=RUN_DIR[,RUN_DIR...] what=PICTURE[,PICTURE...] [KEY=VALUE ...]

  vae-sample run=RUN_DIR what=samples figure.samples.temperature=0.7
  vae-sample run=RUN_DIR what=traversals,interpolations format=pdf
  vae-sample run=RUN_DIR what=traversals format=gif
  vae-sample run=RUN_DIR what=samples count=10000 format=npz
  vae-sample run=RUN_DIR what=samples count=100 label=3
  vae-sample run=RUN_DIR what=samples draw=true
  vae-sample run=RUN_DIR,OTHER_RUN_DIR what=reconstructions
  vae-sample run=RUN_DIR what=interpolations from=12 to=87

Pictures:

{groups}

Keys:

  run          a folder, last, best:FOLDER, a beginning, a pattern; several comma-separated
               go into one picture, the images that all were given once
  what         comma-separated pictures; figure.PICTURE.KEY sets their options
  format       png, svg, pdf; npz, the numbers behind it; gif, of those that move
  output       folder to write to (the first run's figures)
  draw         of samples: true for draws from p(x|z), false for its means
  from, to     of interpolations: positions in the split, or image files
  count        so many samples instead of a picture of some, one by one into a folder (png) or into
               one file (npz), however many there are
  label        with count: all of this class, by name or number, of a model with labels
  split        test, validation or train: whose images are shown
  seed         of all noise (0)
  checkpoint   best or last
  device       auto, cpu or gpu
  data.root, data.path    where the images are now, or others, which are then shown: all of them
  data.changed            accept: continue with data that have changed since the run was started
  trust        let the run name classes that are not in this package: docs/security.md

Flags:

  --config-dir DIR  take yamls of your own from DIR, too; ./conf/vae_cli and $VAE_CLI_CONF are
                    taken anyway, and ./conf if it holds nothing else
  --version         the version of vae-cli
  --help            this text
"""
EXPORT = """\
vae-export writes a trained model's encoder and decoder as files that run without this package.

Usage: vae-export run=RUN_DIR [KEY=VALUE ...]

  vae-export run=outputs/digits_vae/2026-11-20_09-00-00    into the run's folder, export
  vae-export run=RUN_DIR format=onnx output=FOLDER

Beside them lie the weights (weights.safetensors) and what inputs and outputs are: README.md for
people, export.json for programs. An earlier export is replaced, other folders are left alone. It
needs what pip install 'vae-cli[export]' brings.

Keys:

  run          a folder, last, best:FOLDER, a beginning, a pattern; several comma-separated
  format       torch_export (.pt2, for torch.export.load), onnx (for onnxruntime and others), or
               [torch_export,onnx], the default
  output       folder to write to (export in the run's folder)
  checkpoint   best or last
  trust        let the run name classes that are not in this package: docs/security.md

Flags:

  --version    the version of vae-cli
  --help       this text
"""
FLOW = """\
vae-flow fits flows of several lengths to densities of the plane, and draws them side by side: what
Rezende & Mohamed (2015, arXiv:1505.05770) show in their figure 3.

Usage: vae-flow [GROUP=OPTION ...] [KEY=VALUE ...]

  vae-flow                                     four densities, K = 2, 8 and 32 planar maps
  vae-flow posterior=radial                    … of radial maps
  vae-flow energy=two_moons lengths=[1,2,4,8,16] steps=3000
  vae-flow energy=[wave,split_wave] format=svg

The picture, the KL of each fit and its parameters go into a folder under outputs/flow.

Groups (energy: several, by default all; posterior: the flows):

{groups}

Keys:

  lengths      K, maps in a row: a fit and a column of the picture for each
  steps        of each fit
  restarts     fits from different starts, of which the best is kept
  samples      draws a step and restart
  warmup       share of the steps over which the energy's weight grows to 1
  lr           of Adam, at first
  seed         of the starts and all draws
  format       png, svg or pdf
  output       folder to write to, a new one (outputs/flow and the time)

Flags:

  --config-dir DIR  take yamls of your own from DIR, too; ./conf/vae_cli and $VAE_CLI_CONF are
                    taken anyway, and ./conf if it holds nothing else
  --version         the version of vae-cli
  --help            this text
"""
FINETUNE = """\
vae-finetune puts a classifier on a trained encoder, and says how much the encoder is worth.

Usage: vae-finetune run=RUN_DIR [KEY=VALUE ...]

  vae-finetune run=RUN_DIR labels=100                a classifier of the codes, from 100 labels
  vae-finetune run=RUN_DIR labels=100 freeze=false   the encoder goes on learning with it
  vae-finetune run='outputs/digits_vae/*'            several runs, and a table of them

Beside it stand the same network trained from fresh weights on the same labels, and a linear
classifier of the codes. The numbers are put into the run's folder, finetune.json, each setting
beside the others; what is there already is shown and not trained again.

Keys:

  run          a folder, last, best:FOLDER, a beginning, a pattern; several comma-separated
  labels       training labels to learn from, as many of each class; all of them
  label_seed   which of them (0)
  freeze       keep the encoder as it is: true, or false
  hidden_dims  widths of the classifier's hidden layers ([200]); [] makes it linear
  steps        of each network (5000); the state with the best validation accuracy is used
  batch_size   images a step (128), or all that have a label if there are fewer
  lr           of Adam (0.001)
  seed         of the fresh weights, the order of the images and all noise (0)
  checkpoint   best or last
  device       auto, cpu or gpu
  data.root, data.path    where the images are now, if not where the run had them
  data.changed            accept: continue with data that have changed since the run was started
  trust        let the run name classes that are not in this package: docs/security.md

Flags:

  --version    the version of vae-cli
  --help       this text
"""
REPORT = """\
vae-report puts a run, or several, into one HTML file that needs no other and no network.

Usage: vae-report run=RUN_DIR [KEY=VALUE ...]

  vae-report run=outputs/digits_vae/2026-11-20_09-00-00    into the run's folder, report.html
  vae-report run='outputs/digits_vae/*'                    several runs, into ./report.html
  vae-report run=RUN_DIR,OTHER_DIR output=both.html

It holds the numbers with their errors, those of vae-eval too, the curves, the pictures, what was
chosen, the whole configuration, the command lines and the environment. Of several runs it says
where they differ, and lays their curves over each other.

Keys:

  run          a folder, last, best:FOLDER, a beginning, a pattern; several comma-separated
  output       the file; one that is no report is never replaced
  mixed        put results of different data or treatment into one table

Flags:

  --version    the version of vae-cli
  --help       this text
"""
TEXTS = {
    "train": TRAIN,
    "compare": COMPARE,
    "eval": EVAL,
    "sample": SAMPLE,
    "finetune": FINETUNE,
    "export": EXPORT,
    "flow": FLOW,
    "report": REPORT,
}


def help_of(config_name: str) -> str:
    """The help of the command whose primary file has that name.

    It lists the groups of that file with their options, the defaults first.
    """
    defaults = default_options(config_name)
    lines = []
    for group, options in sorted(groups_of(config_name, search_path(None)).items()):
        ordered = dict.fromkeys([*defaults.get(group, []), *options])
        lines.append(f"  {group:<22}{', '.join(ordered)}")
    return TEXTS.get(config_name, TRAIN).format(groups="\n".join(lines))
