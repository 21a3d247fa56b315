"""Kinds 1 and 2: what a configuration names to be built, or to be filled in."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from openings import BUILT, IMAGES, MODEL, OPENED
from rows import Row
from strange_run import StrangeRun, drop, put

RESUME = {"resume"}
# Where a node stands in a configuration, and the openings that build it.
PLACES = {
    "model": BUILT, "model.encoder": OPENED, "model.likelihood": OPENED, "model.posterior": OPENED,
    "model.prior": OPENED, "data": IMAGES | RESUME, "objective": RESUME, "kl_schedule": RESUME,
    "optimizer": RESUME, "trainer": RESUME, "accelerator": RESUME, "logger": RESUME,
    "metric.active_units": RESUME, "figure.samples": RESUME,
}  # fmt: skip
TARGETS = {  # that no yaml of the package names, or not in the group of networks
    "a system call": "os.system",
    "eval": "builtins.eval",
    "a process": "subprocess.run",
    "a module of the stranger's": "canary_module.strike",
    "a module that opens a browser": "antigravity.fly",
    "a repository": "torch.hub.load",
    "a pickle": "torch.load",
    "a library": "torch.ops.load_library",
    "a compiler": "torch.utils.cpp_extension.load_inline",
    "an import by name": "torch.nn.attention._registry.register_flash_attention_impl",
    "a method by name": "hydra.utils.get_method",
    "another instantiation": "hydra.utils.instantiate",
    "a download": "vae_cli.data.files.download",
    "a move": "vae_cli.data.files._move",
    "a name that is imported": "vae_cli.data.files.Path",
    "a module that is imported": "vae_cli.data.files.shutil.rmtree",
    "a command": "vae_cli.commands.train.main",
    "a writer of the package": "vae_cli.files.append_text",
    "a base class": "vae_cli.network.base.Network",
    "builtins of a module": "vae_cli.network.mlp.__builtins__.eval",
    "dots": "..vae_cli.network.mlp.MLP",
    "a space": " vae_cli.network.mlp.MLP",
    "another case": "vae_cli.network.mlp.mlp",
    "a newline": "vae_cli.network.mlp.MLP\n",
    "wide letters": "vae_cli.network.mlp.ＭＬＰ",
    "a layer of torch": "torch.nn.Linear",
    "nothing": "",
    "a dataset": "vae_cli.data.digits.load",
    "a prior": "vae_cli.prior.standard.StandardPrior",
}  # fmt: skip
NETWORK = {"hidden_dims": [4], "activation": "relu"}
MLP = "vae_cli.network.mlp.MLP"
FILE = {"_target_": "pathlib.Path.write_text", "self": "hit", "data": "hit"}
NODES: dict[str, Any] = {  # in the place of the network
    "arguments": {"_target_": MLP, "_partial_": True, "_args_": ["hit"], **NETWORK},
    "not a partial": {"_target_": MLP, "_partial_": False, **NETWORK},
    "a partial that is a text": {"_target_": MLP, "_partial_": "yes", **NETWORK},
    "a conversion": {"_target_": MLP, "_partial_": True, "_convert_": "all", **NETWORK},
    "no recursion": {"_target_": MLP, "_partial_": True, "_recursive_": False, **NETWORK},
    "an unknown option": {"_target_": MLP, "_partial_": True, "nope": 1, **NETWORK},
    "a node as a number": {"_target_": MLP, "_partial_": True, "hidden_dims": [FILE]},
    "a node as a text": {"_target_": MLP, "_partial_": True, **NETWORK, "activation": FILE},
    "a node in a list": [FILE],
    "a target that is a list": {"_target_": [MLP], "_partial_": True, **NETWORK},
    "a target that is a node": {"_target_": FILE, "_partial_": True, **NETWORK},
    "a target that is a number": {"_target_": 5, **NETWORK},
    "a text": "os.system",
    "an option with two underscores": {"_target_": MLP, "_partial_": True, "__class__": "x"},
    "a module as activation": {"_target_": MLP, "_partial_": True, "hidden_dims": [4],
                               "activation": "os.system"},
}  # fmt: skip
MKDIR = "{_target_: os.mkdir, path: hit}"
INTERPOLATIONS = {
    "a node made of text": "${oc.create:" + MKDIR + "}",
    "a node that is decoded": "${oc.decode:'" + MKDIR + "'}",
    "an environment variable": "${oc.env:CANARY}",
    "another key": "${prior}",
    "a relative key": "${.}",
    "an escape": "\\${oc.env:CANARY}",
    "two escapes": "\\\\${oc.env:CANARY}",
    "one within another": "${oc.${seed}:CANARY}",
    "a default": "${oc.env:NOPE,${oc.env:CANARY}}",
    "a resolver of Hydra's": "${hydra:runtime.cwd}",
    "an unknown resolver": "${nope:CANARY}",
    "a half": "${oc.env:CANARY",
}


def rows() -> Iterator[Row]:
    for name, target in TARGETS.items():
        yield Row(2, f"the network is {name}", partial(_network, "._target_", target), BUILT)
    for place, refused in PLACES.items():
        change = put(f"{place}._target_", "os.mkdir")
        yield Row(2, f"{place} is os.mkdir", partial(StrangeRun.everywhere, change=change), refused)
    for place, refused in PLACES.items():
        change = put(f"{place}.more", {"_target_": "os.mkdir", "path": "hit"})
        yield Row(2, f"{place} has a part more", partial(_all, change), refused - RESUME)
    for name, node in NODES.items():
        yield Row(2, f"the network has {name}", partial(_network, "", node), OPENED)
    for name, text in INTERPOLATIONS.items():
        yield Row(1, f"the network is {name}", partial(_network, "", text), OPENED)
        yield Row(1, f"the activation is {name}", partial(_network, ".activation", text), BUILT)
        yield Row(1, f"the data's treatment is {name}", partial(_all, put("data.binarize", text)),
                  IMAGES | RESUME)  # fmt: skip
        yield Row(1, f"each text is {name}", partial(_texts, text))
    yield from SINGLE


def _all(change: Any, run: StrangeRun) -> None:
    run.everywhere(change)


def _network(below: str, value: Any, run: StrangeRun) -> None:
    """The network is a group and, except for a reference, part of the model."""

    def change(config: dict[str, Any]) -> None:
        put(f"network{below}", value)(config)
        if isinstance(config["model"]["encoder"], dict):
            put(f"model.encoder{below}", value)(config)

    run.everywhere(change)


def _texts(text: str, run: StrangeRun) -> None:
    """Puts a text wherever the folder has one that is no part of the model."""
    run.yamls(lambda config: config["figure"].update(text=text))
    run.yamls(lambda config: config.update(run_id=text, note=text, seed=text))
    run.json("results.json", lambda found: found.update({"test/note": text, text: 1.0}))
    run.json("evaluation.json", lambda found: found["test"].update({"note": text, text: 1.0}))
    run.append("command.txt", f"vae-train {text}\n")
    run.append("environment.txt", f"{text} 1\n")
    run.overrides(f"run_id={text}")


def _composed(run: StrangeRun) -> None:
    run.yamls(put("optimizer", "${oc.create:" + MKDIR + "}"), ["composed.yaml"])


def _config(run: StrangeRun) -> None:
    run.yamls(put("model.encoder", "${oc.create:" + MKDIR + "}"), ["config.yaml"])


def _checkpoint(run: StrangeRun) -> None:
    run.checkpoint_config(put("network", "${oc.create:" + MKDIR + "}"))
    run.checkpoint_config(put("model.encoder", "${network}"))


def _environment(run: StrangeRun) -> None:
    run.yamls(put("note", "${oc.env:CANARY}"))
    run.yamls(put("trainer.note", "${oc.env:CANARY}"))


def _data_download(run: StrangeRun) -> None:
    run.everywhere(put("data", {
        "_target_": "vae_cli.data.files.download", "url": f"file://{run.outside}/private.txt",
        "path": "hit", "sha256": None, "batch_size": 64,
    }))  # fmt: skip


def _data_of_theirs(run: StrangeRun) -> None:
    """A dataset that is to be fetched into a folder that the run names."""
    run.everywhere(put("data", {
        "_target_": "vae_cli.data.mnist.load", "name": "MNIST", "root": str(run.outside / "root"),
        "labels": None, "label_seed": 0, "batch_size": 64, "binarize": "dynamic",
        "dequantize": False, "encode": "modelled",
    }))  # fmt: skip


def _private_array(run: StrangeRun) -> None:
    run.everywhere(put("data", {
        "_target_": "vae_cli.data.array.load", "path": "/dev/zero", "key": None, "test_key": None,
        "shape": None, "seed": 0, "validation": 0.1, "test": 0.1, "labels": None, "label_seed": 0,
        "batch_size": 64, "binarize": "dynamic", "dequantize": False, "encode": "modelled",
    }))  # fmt: skip


def _own_in_derived(run: StrangeRun) -> None:
    run.everywhere(put("derived.more", {"_target_": "os.mkdir", "path": "hit"}))


def _lr_schedule(run: StrangeRun) -> None:
    run.everywhere(put("optimizer.lr_schedule", {
        "_target_": "torch.optim.lr_scheduler.LambdaLR", "_partial_": True, "lr_lambda": "os.system"
    }))  # fmt: skip


def _logger_elsewhere(run: StrangeRun) -> None:
    run.everywhere(put("logger.version", "../../outside"))


def _logger_root(run: StrangeRun) -> None:
    run.everywhere(put("logger", {
        "_target_": "pytorch_lightning.loggers.CSVLogger", "save_dir": str(run.outside),
        "name": "", "version": "",
    }))  # fmt: skip


SINGLE = [
    Row(1, "composed.yaml makes a node of text", _composed),
    Row(1, "config.yaml makes a node of text", _config),
    Row(1, "a checkpoint refers to a hidden node", _checkpoint, MODEL),
    Row(6, "the yamls ask for a secret", _environment),
    Row(2, "the data are a download", _data_download, IMAGES | RESUME),
    Row(2, "the data are fetched into the run's folder", _data_of_theirs, IMAGES | RESUME),
    Row(9, "the data are a device", _private_array, IMAGES | RESUME),
    Row(2, "what was derived has a part", _own_in_derived),
    Row(2, "the learning rate is a function", _lr_schedule),
    Row(7, "curves lie elsewhere", _logger_elsewhere, RESUME),
    Row(7, "the logger is another's", _logger_root, RESUME),
    Row(2, "the model is missing", lambda run: run.everywhere(drop("model")), OPENED),
    Row(2, "the likelihood is missing", lambda run: run.everywhere(drop("model.likelihood")),
        OPENED),
    Row(2, "the model has an unknown option", lambda run: run.everywhere(put("model.nope", 1)),
        OPENED),
    Row(2, "the data have an unknown option", lambda run: run.everywhere(put("data.nope", 1)),
        IMAGES),
]  # fmt: skip
