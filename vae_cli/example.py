"""What one example of a dataset is: an image, a vector or a sequence."""

from typing import Literal

from torch import Size

ExampleKind = Literal["image", "vector", "sequence"]


def example_kind(shape: Size) -> ExampleKind:
    """The kind of examples: images ``(C, H, W)``, vectors ``(D,)`` or sequences ``(T, D)``.

    Example:
        >>> example_kind(Size([3, 32, 32])), example_kind(Size([7]))
        ('image', 'vector')
    """
    kinds: dict[int, ExampleKind] = {1: "vector", 2: "sequence", 3: "image"}
    return kinds[len(shape)]


def describe_examples(shape: Size) -> str:
    """Examples of a shape in words.

    Example:
        >>> describe_examples(Size([1, 28, 28]))
        'images of 1 x 28 x 28'
    """
    return f"{example_kind(shape)}s of {' x '.join(map(str, shape))}"


def is_point(shape: Size) -> bool:
    """Whether an example of a shape is a point of the plane: a vector of two numbers."""
    return tuple(shape) == (2,)
