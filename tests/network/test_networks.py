from collections.abc import Callable
from itertools import pairwise, product
from typing import Any

import pytest
import torch
from networks import NETWORKS, VECTOR, Case, build
from torch import Size, nn

from vae_cli.errors import InvalidOption
from vae_cli.network.base import Network
from vae_cli.network.conv import Conv
from vae_cli.network.gated_conv import GatedConv
from vae_cli.network.mlp import MLP

PUBLISHED_DECODER = [64, 64, 32, 32, 32, 32]
# Each is there for what the others are not: even, odd and oblong, one pixel, colours, not square.
IMAGES = [Size(image) for image in [(1, 28, 28), (2, 7, 5), (1, 1, 1), (3, 8, 8), (1, 33, 17)]]
ROWS = pytest.mark.parametrize("case", NETWORKS, ids=lambda case: case.name)


@ROWS
def test_shapes_and_gradients_for_every_image(case: Case) -> None:
    for image in IMAGES:
        for in_shape, out_shape in ((image, VECTOR), (VECTOR, image)):
            network = build(case, in_shape, out_shape)
            out = network(torch.randn(32, *in_shape))
            assert out.shape == (32, *out_shape)
            out.square().sum().backward()
            for name, parameter in network.named_parameters():
                assert parameter.grad is not None, (image, name)
                assert parameter.grad.abs().sum() > 0, (image, name)


@ROWS
@pytest.mark.parametrize("batch_shape", [(), (1,), (2, 3)])
def test_leading_dimensions_are_independent(case: Case, batch_shape: tuple[int, ...]) -> None:
    for in_shape, out_shape in ((IMAGES[1], VECTOR), (VECTOR, IMAGES[1])):
        network = build(case, in_shape, out_shape).double()
        x = torch.rand(*batch_shape, *in_shape, dtype=torch.float64)
        together = network(x)
        assert together.shape == (*batch_shape, *out_shape)
        for index in product(*map(range, batch_shape)):
            torch.testing.assert_close(together[index], network(x[index]))


@pytest.mark.parametrize("size", [(8, 8), (9, 11), (20, 28), (31, 32)], ids=str)
def test_gated_conv_of_the_default_size_fits_every_image(size: tuple[int, int]) -> None:
    for shapes in ((Size([1, *size]), Size([2])), (Size([64]), Size([3, *size]))):
        network = GatedConv(*shapes)
        out = network(torch.rand(2, *shapes[0]))
        assert out.shape == (2, *shapes[1])
        out.square().sum().backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def layout(network: Network) -> list[tuple[object, ...]]:
    """Of each layer with weights: channels in and out (after the gate), kernel and stride."""
    found: list[tuple[object, ...]] = []
    layers = [m for m in network.modules() if not (list(m.children()) or isinstance(m, nn.Flatten))]
    for layer, following in pairwise([*layers, nn.Identity()]):
        gates = 2 if isinstance(following, nn.GLU) else 1
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            (kernel, _), (stride, _) = layer.kernel_size, layer.stride
            found.append((layer.in_channels, layer.out_channels // gates, kernel, stride))
        elif isinstance(layer, nn.Linear):
            found.append((layer.in_features, layer.out_features))
    return found


def test_gated_conv_has_the_published_layers() -> None:
    """Those of github.com/riannevdberg/sylvester-flows for binary images of 28 x 28."""
    image, z = Size([1, 28, 28]), Size([64])
    encoder = GatedConv(image, Size([128]))
    decoder = GatedConv(z, image, decoder_channels=PUBLISHED_DECODER)
    convolutions = [(1, 32, 5, 1), (32, 32, 5, 2), (32, 64, 5, 1), (64, 64, 5, 2), (64, 64, 5, 1)]
    assert layout(encoder) == [*convolutions, (64, 256, 7, 1), (256, 128)]
    back = [(64, 64, 5, 1), (64, 32, 5, 2), (32, 32, 5, 1), (32, 32, 5, 2), (32, 32, 5, 1)]
    assert layout(decoder) == [(64, 64, 7, 1), *back, (32, 1, 1, 1)]
    # A gated layer is two convolutions, each with biases.
    gated = [*convolutions, (64, 256, 7, 1), (64, 64, 7, 1), *back]
    expected = sum(2 * (n * k * k + 1) * m for n, m, k, _ in gated) + 257 * 128 + 33
    assert sum(p.numel() for n in (encoder, decoder) for p in n.parameters()) == expected


def test_a_gate_multiplies() -> None:
    network = GatedConv(Size([1, 6, 6]), VECTOR, channels=[3], strides=[2])
    convolution, x = network.layers[0], torch.rand(4, 1, 6, 6)
    value, gate = convolution(x).chunk(2, dim=1)
    torch.testing.assert_close(network.layers[:2](x), value * gate.sigmoid())


@pytest.mark.parametrize(
    "case", [case for case in NETWORKS if case.make is not GatedConv], ids=lambda case: case.name
)
def test_decoder_mirrors_its_encoder(case: Case) -> None:
    def sizes(network: Network) -> list[tuple[int, ...]]:
        weights = [
            tuple(layer.weight.shape[:2])
            for layer in network.modules()
            if isinstance(layer, (nn.Linear, nn.Conv2d))
        ]
        # The weight of a transposed convolution is (in, out), of any other layer (out, in).
        transposed = [
            tuple(layer.weight.shape[1::-1])
            for layer in network.modules()
            if isinstance(layer, nn.ConvTranspose2d)
        ]
        return weights + transposed

    encoder = build(case, IMAGES[0], VECTOR)
    decoder = build(case, VECTOR, IMAGES[0])
    there, back = sizes(encoder), sizes(decoder)
    assert sorted(there) == sorted(size[::-1] for size in back)


def test_activations_stand_in_the_order_in_which_they_are_applied() -> None:
    options = {"hidden_dims": [9, 8], "activation": ["tanh", "elu"]}
    encoder = MLP(Size([1, 4, 4]), VECTOR, **options).layers
    decoder = MLP(VECTOR, Size([1, 4, 4]), **options).layers
    kinds = [nn.Linear, nn.Tanh, nn.Linear, nn.ELU, nn.Linear]
    assert [type(layer) for layer in encoder] == kinds
    assert [type(layer) for layer in decoder] == kinds
    assert [layer.out_features for layer in encoder[::2]] == [9, 8, 5]
    assert [layer.out_features for layer in decoder[::2]] == [8, 9, 16]


def test_no_hidden_layers_are_a_linear_map() -> None:
    network = MLP(Size([2, 3, 4]), VECTOR, hidden_dims=[])
    (layer,) = network.layers
    x = torch.rand(7, 2, 3, 4)
    torch.testing.assert_close(network(x), x.flatten(1) @ layer.weight.T + layer.bias)


def test_convolutions_halve_the_image() -> None:
    network = build(NETWORKS[5], Size([1, 33, 17]), VECTOR)
    x, sizes = torch.rand(1, 1, 33, 17), []
    for layer in network.layers:
        x = layer(x)
        if isinstance(layer, nn.Conv2d):
            sizes.append(tuple(x.shape[1:]))
    assert sizes == [(4, 17, 9), (6, 9, 5), (8, 5, 3)]


@ROWS
def test_nothing_follows_the_last_layer(case: Case) -> None:
    # The likelihood works from logits, and from means of any sign.
    decoder = build(case, VECTOR, IMAGES[1])
    last = [m for m in decoder.modules() if not list(m.children())][-1]
    assert isinstance(last, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d))


@pytest.mark.parametrize(
    ("make", "options", "key"),
    [
        (MLP, {"hidden_dims": [10, 0]}, "hidden_dims"),
        (MLP, {"hidden_dims": [10, -1]}, "hidden_dims"),
        (MLP, {"hidden_dims": [10.5]}, "hidden_dims"),
        (MLP, {"hidden_dims": 10}, "hidden_dims"),
        (MLP, {"hidden_dims": "10"}, "hidden_dims"),
        (MLP, {"hidden_dims": None}, "hidden_dims"),
        (MLP, {"activation": "swish"}, "activation"),
        (MLP, {"activation": ["relu", "swish"]}, "activation"),
        (MLP, {"hidden_dims": [10, 10], "activation": ["relu"]}, "activation"),
        (MLP, {"hidden_dims": [], "activation": ["relu"]}, "activation"),
        (Conv, {"channels": []}, "channels"),
        (Conv, {"channels": [0]}, "channels"),
        (Conv, {"channels": 32}, "channels"),
        (Conv, {"hidden_dim": 0}, "hidden_dim"),
        (Conv, {"hidden_dim": True}, "hidden_dim"),
        (Conv, {"activation": "identity"}, "activation"),
        (GatedConv, {"channels": []}, "channels"),
        (GatedConv, {"strides": [1, 2, 1, 2]}, "strides"),
        (GatedConv, {"strides": [1, 2, 0, 2, 1]}, "strides"),
        (GatedConv, {"channels": [8, 8]}, "strides"),
        (GatedConv, {"hidden_dim": 0}, "hidden_dim"),
        (GatedConv, {"decoder_channels": [8, 8]}, "decoder_channels"),
        (GatedConv, {"decoder_channels": 8}, "decoder_channels"),
    ],
)
def test_bad_options(make: Callable[..., Network], options: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidOption) as raised:
        make(Size([1, 8, 8]), VECTOR, **options)
    assert raised.value.name == key


@pytest.mark.parametrize("make", [Conv, GatedConv])
@pytest.mark.parametrize(("in_shape", "out_shape"), [([4], [5]), ([1, 8, 8], [1, 8, 8])])
def test_convolutions_need_an_image_and_a_vector(
    make: Callable[..., Network], in_shape: list[int], out_shape: list[int]
) -> None:
    with pytest.raises(InvalidOption, match="Try mlp"):
        make(Size(in_shape), Size(out_shape))


def test_typos_are_not_swallowed() -> None:
    with pytest.raises(TypeError, match="hiden_dims"):
        MLP(Size([1, 8, 8]), VECTOR, hiden_dims=[4])
