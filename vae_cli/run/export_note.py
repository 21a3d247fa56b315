"""What an exported model says of itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig
from torch import Tensor

from vae_cli.model.base import Model
from vae_cli.run.graphs import MEANING, Graph
from vae_cli.run.settings import plain, treatment_of

NOTE, RECORD, WEIGHTS = "README.md", "export.json", "weights.safetensors"
DTYPE = {True: "float32", False: "int64"}  # whether it is a floating-point number


def record_of(
    model: Model,
    config: DictConfig,
    graphs: Mapping[str, Graph],
    files: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """What somebody has to know to use the files, plain.

    Args:
        model: That was exported.
        config: Of its run.
        graphs: Its functions, by name.
        files: Of each function.
    """
    return {
        "model": type(model).__name__,
        "latent_dim": model.latent_dim,
        "data": {
            **treatment_of(plain(config)),
            "shape": list(config.derived.shape),
            "levels": config.derived.levels,
            "classes": config.derived.classes,
            "values": _values(config),
        },
        "functions": {
            name: {
                "files": list(files[name]),
                "inputs": {key: _said(key, value) for key, value in graph.inputs.items()},
                "outputs": {
                    key: _said(key, value)
                    for key, value in zip(
                        graph.outputs, graph.module(*graph.inputs.values()), strict=True
                    )
                },
            }
            for name, graph in graphs.items()
        },
    }


def _said(name: str, example: Tensor) -> dict[str, Any]:
    dtype = DTYPE[example.is_floating_point()]
    return {"shape": ["N", *example.shape[1:]], "dtype": dtype, "meaning": MEANING[name]}


def _values(config: DictConfig) -> str:
    """How a stored pixel v becomes a value of x."""
    levels, binarize = config.derived.levels, config.data.binarize
    if levels is None:
        grey = "v, the value as it is stored"
    else:
        grey = f"v / {levels - 1} for the grey level v = 0 ... {levels - 1}"
    if config.data.dequantize:
        return f"(v + u) / {levels} for the grey level v = 0 ... {levels - 1}, u uniform in [0, 1)"
    if binarize == "none" or levels == 2:
        return grey
    if binarize == "threshold":
        return f"0 or 1: 1 where {grey} is above 0.5"
    return f"0 or 1: 1 with probability {grey}"


def note(record: Mapping[str, Any]) -> str:
    """The record for people, with code to try."""
    functions = record["functions"]
    return TEXT.format(
        **record,
        parts="\n".join(_part(name, each) for name, each in functions.items()),
        examples="\n\n".join(_example(file, functions) for file in functions["encoder"]["files"]),
    )


def _part(name: str, function: Mapping[str, Any]) -> str:
    lines = [f"**{name}** ({', '.join(function['files'])})\n", "| | name | shape | type | |",
             "|---|---|---|---|---|"]  # fmt: skip
    for side in ("inputs", "outputs"):
        for key, said in function[side].items():
            shape = ", ".join(map(str, said["shape"]))
            comma = "," if len(said["shape"]) == 1 else ""
            meaning = said["meaning"].replace("|", r"\|")  # which would end the cell
            cells = [side[:-1], f"`{key}`", f"({shape}{comma})", said["dtype"], meaning]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _example(file: str, functions: Mapping[str, Any]) -> str:
    zeros = [
        f"np.zeros({(3, *said['shape'][1:])}, np.{said['dtype']})"
        for said in functions["encoder"]["inputs"].values()
    ]
    values = dict(zip(functions["encoder"]["inputs"], zeros, strict=True))
    given = ["import numpy as np", *(f"{key} = {value}" for key, value in values.items())]
    outputs = ", ".join(functions["encoder"]["outputs"])
    comma = "," if len(functions["encoder"]["outputs"]) == 1 else ""
    if file.endswith(".onnx"):
        feed = ", ".join(f'"{key}": {key}' for key in values)
        given += ["import onnxruntime", f'encoder = onnxruntime.InferenceSession("{file}")',
                  f"{outputs}{comma} = encoder.run(None, {{{feed}}})"]  # fmt: skip
    else:
        feed = ", ".join(f"torch.from_numpy({key})" for key in values)
        given += ["import torch", f'encoder = torch.export.load("{file}").module()',
                  f"{outputs}{comma} = encoder({feed})"]  # fmt: skip
    return "\n".join(["```python", *given, "```"])


TEXT = """\
# {model}, trained on {data[data]}

Exported by vae-cli {versions[vae-cli]} with torch {versions[torch]} from {checkpoint}, SHA-256
{checkpoint_sha256}. It has {latent_dim} latent dimensions.

N is any number of images. A value of x is {data[values]}.

{parts}
{weights_note}

{examples}
""".replace(
    "{weights_note}",
    f"`{WEIGHTS}` holds all weights by name, `{RECORD}` what stands here for programs.",
)
