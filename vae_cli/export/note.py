"""What an exported model says of itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig
from torch import Tensor

from vae_cli.config.vocabulary import name_of
from vae_cli.escape import markdown_text
from vae_cli.export.graphs import MEANING, Graph
from vae_cli.model.base import Model
from vae_cli.run.settings import plain, treatment_of

NOTE, RECORD, WEIGHTS = "README.md", "export.json", "weights.safetensors"
DTYPE = {True: "float32", False: "int64"}  # whether it is a floating-point number


def export_record(
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
        "model": name_of(str(config.model._target_)),
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
                "inputs": {key: _said(MEANING[key], value) for key, value in graph.inputs.items()},
                "outputs": {
                    key: _said(meaning, value)
                    for (key, meaning), value in zip(
                        graph.outputs.items(), graph.module(*graph.inputs.values()), strict=True
                    )
                },
            }
            for name, graph in graphs.items()
        },
    }


def _said(meaning: str, example: Tensor) -> dict[str, Any]:
    dtype = DTYPE[example.is_floating_point()]
    return {"shape": ["N", *example.shape[1:]], "dtype": dtype, "meaning": meaning}


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
    by_format = zip(*(each["files"] for each in functions.values()), strict=True)
    named = {**record["data"], "data": markdown_text(record["data"]["data"])}
    return TEXT.format(
        **{**record, "data": named},
        parts="\n".join(_part(name, each) for name, each in functions.items()),
        examples="\n\n".join(_example(files, functions) for files in by_format),
    )


def _part(name: str, function: Mapping[str, Any]) -> str:
    lines = [f"**{name}** ({', '.join(function['files'])})\n", "| | name | shape | type | |",
             "|---|---|---|---|---|"]  # fmt: skip
    for side in ("inputs", "outputs"):
        for key, tensor in function[side].items():
            shape = ", ".join(map(str, tensor["shape"]))
            comma = "," if len(tensor["shape"]) == 1 else ""
            meaning = tensor["meaning"].replace("|", r"\|")  # which would end the cell
            cells = [side[:-1], f"`{key}`", f"({shape}{comma})", tensor["dtype"], meaning]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


class Runtime(NamedTuple):
    """How code uses the files of a format: templates of its lines."""

    imports: str
    zeros: str
    load: str
    argument: str
    call: str


RUNTIMES = {  # by suffix
    ".pt2": Runtime(
        imports="import torch",
        zeros="{key} = torch.zeros({shape}, dtype=torch.{dtype})",
        load='{name} = torch.export.load("{file}").module()',
        argument="{key}",
        call="{outputs} = {name}({arguments})",
    ),
    ".onnx": Runtime(
        imports="import numpy as np\nimport onnxruntime",
        zeros="{key} = np.zeros({shape}, np.{dtype})",
        load='{name} = onnxruntime.InferenceSession("{file}")',
        argument='"{key}": {key}',
        call="{outputs} = {name}.run(None, {{{arguments}}})",
    ),
}


def _example(files: Sequence[str], functions: Mapping[str, Any]) -> str:
    """Code that calls each function with what those before it gave, else with zeros.

    Args:
        files: Of one format, one of each function.
        functions: By name, see ``export_record``.
    """
    runtime = RUNTIMES[Path(files[0]).suffix]
    lines, known = [runtime.imports], set[str]()
    for (name, function), file in zip(functions.items(), files, strict=True):
        inputs, outputs = function["inputs"], function["outputs"]
        for key in [key for key in inputs if key not in known]:
            shape, dtype = (3, *inputs[key]["shape"][1:]), inputs[key]["dtype"]
            lines.append(runtime.zeros.format(key=key, shape=shape, dtype=dtype))
        arguments = ", ".join(runtime.argument.format(key=key) for key in inputs)
        found = ", ".join(outputs) + ("," if len(outputs) == 1 else "")
        lines += [
            runtime.load.format(name=name, file=file),
            runtime.call.format(name=name, outputs=found, arguments=arguments),
        ]
        known |= {*inputs, *outputs}
    return "\n".join(["```python", *lines, "```"])


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
