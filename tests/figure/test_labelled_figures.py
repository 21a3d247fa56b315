"""Pictures of models with labels."""

import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from pictures import drawn, labelled_model, model, picture, split
from torch import Tensor

from vae_cli.data.split import Split
from vae_cli.figure.analogies import Analogies
from vae_cli.figure.base import Figure, Inapplicable
from vae_cli.figure.confusion import Confusion
from vae_cli.figure.manifold import Manifold, quantile_grid
from vae_cli.figure.reliability import Reliability
from vae_cli.figure.samples import draw_latents
from vae_cli.figure.sheet import heads
from vae_cli.figure.style_manifold import StyleManifold
from vae_cli.figure.styles import Styles
from vae_cli.metric.base import Evaluation
from vae_cli.metric.classification import Classification
from vae_cli.metric.confusion import Confusion as ConfusionCounts
from vae_cli.training.pictures import picture as event

TELLING = pytest.mark.parametrize("figure", [Confusion(), Reliability()])
DECODING = pytest.mark.parametrize("figure", [Analogies(), StyleManifold(), Styles()])
LABELS = torch.arange(30) % 4 - 1  # some unknown
LONG = ["german shepherd", "norwegian forest cat", "guinea pig"]


def tensor(drawing: dict[str, object], name: str) -> Tensor:
    return torch.as_tensor(drawing[name])


@pytest.mark.parametrize("figure", [Styles(rows=4), StyleManifold(rows=4)])
def test_every_class_at_every_z(figure: Figure) -> None:
    one = labelled_model()
    arrays = picture(figure, one, split()).arrays
    z, y, x = (tensor(arrays, name) for name in ("z", "y", "x"))
    assert y.tolist() == [0, 1, 2]
    of_class = x.transpose(0, 1) if isinstance(figure, Styles) else x
    for label in range(3):
        alone = one.decode(z, torch.full((len(z),), label)).mean.detach()
        torch.testing.assert_close(of_class[label], alone)


def test_style_manifold_rises_to_the_right_and_upwards() -> None:
    arrays = picture(StyleManifold(rows=3), labelled_model(), split()).arrays
    torch.testing.assert_close(tensor(arrays, "z"), quantile_grid(3, torch.device("cpu")))


def test_analogies_are_at_the_z_of_the_class_the_model_sees() -> None:
    one, images = labelled_model(), split()
    arrays = picture(Analogies(count=4), one, images).arrays
    batch = images.batch(tensor(arrays, "index"))
    predicted = one.classify(batch).argmax(-1)
    assert arrays["predicted"].tolist() == predicted.tolist()
    one_hot = torch.nn.functional.one_hot(predicted, 3).float()
    z = one.encode(batch).given(one_hot).mean.detach()
    torch.testing.assert_close(tensor(arrays, "z"), z)
    for label in range(3):
        x = one.decode(z, torch.full((4,), label)).mean.detach()
        torch.testing.assert_close(tensor(arrays, "x")[:, label], x)


@pytest.mark.parametrize("classes", [1, 2, 25, 300])
@pytest.mark.parametrize("figure", [Analogies(count=2), StyleManifold(rows=2), Styles(rows=2)])
def test_no_more_classes_than_can_be_seen(figure: Figure, classes: int) -> None:
    drawing = picture(figure, labelled_model(classes=classes), split())
    shown = drawing.arrays["y"].tolist()
    assert len(set(shown)) == len(shown) == min(classes, 20)
    assert (shown[0], shown[-1]) == (0, classes - 1)
    drawn(drawing)


def numbers(one: object, images: Split) -> dict[str, float]:
    """What the metrics make of the same images."""
    metrics = {"classification": Classification(bins=7), "confusion": ConfusionCounts()}
    evaluation = Evaluation(metrics, 0, images.name)
    evaluation.add(one, 0, images.batch(torch.arange(len(images))))
    return evaluation.results([evaluation.state])


def test_pictures_agree_with_the_metrics() -> None:
    one, images = labelled_model(), split(labels=LABELS)
    expected = numbers(one.eval(), images)
    confusion = picture(Confusion(), one, images)
    error, deviation = expected["error"], expected["error_se"]
    title = f"Classes of test images: error {error:.1%} ± {deviation:.1%}"
    assert confusion.canvas.axes[0].get_title() == title
    for (true, taken), count in zip(
        torch.cartesian_prod(torch.arange(3), torch.arange(3)).tolist(),
        confusion.arrays["counts"].flatten().tolist(), strict=True,
    ):  # fmt: skip
        assert count == expected[f"confusion/{true}_as_{taken}"]
    reliability = picture(Reliability(bins=7), one, images).arrays
    assert reliability["calibration_error"] == pytest.approx(expected["calibration_error"])
    assert reliability["bin_images"].sum() == expected["labelled_images"] == (LABELS >= 0).sum()


def test_intervals_hold_their_accuracy() -> None:
    axes = picture(Reliability(), labelled_model(), split(labels=LABELS)).canvas.axes[0]
    (bars,) = axes.containers
    for (x, low), (_, high) in bars[2][0].get_segments():
        accuracy = dict(zip(*bars[0].get_data(), strict=True))[x]
        assert low <= accuracy <= high and low < high


@TELLING
def test_at_most_so_many_of_the_labelled_images(figure: Figure) -> None:
    index = picture(type(figure)(count=5), labelled_model(), split(labels=LABELS)).arrays["index"]
    assert len(index) == 5 and (LABELS[index] >= 0).all()
    assert (index[0], index[-1]) == (1, 29)


@TELLING
@pytest.mark.parametrize("classes", [1, 2, 30, 300])
def test_any_number_of_classes(figure: Figure, classes: int) -> None:
    labels = torch.arange(30) % classes
    drawn(picture(figure, labelled_model(classes=classes), split(labels=labels)))


@TELLING
def test_why_there_is_no_picture_of_what_a_model_tells(figure: Figure) -> None:
    labelled = split(labels=LABELS)
    with pytest.raises(Inapplicable, match="m1, m2, m1_m2"):
        picture(figure, model(), labelled)
    one = labelled_model()
    with pytest.raises(Inapplicable, match="needs images with labels"):
        picture(figure, one, split())
    one.is_fitted = False
    with pytest.raises(Inapplicable, match="fitted at the end of training"):
        picture(figure, one, labelled)
    assert numbers(one, labelled) == {}


@DECODING
def test_why_there_is_no_picture_of_a_label(figure: Figure) -> None:
    with pytest.raises(Inapplicable, match=r"needs a semi-supervised model \(m2, m1_m2\)"):
        picture(figure, model(), split())


def test_the_manifold_of_a_model_with_labels_is_another_figure() -> None:
    with pytest.raises(Inapplicable, match="style_manifold"):
        picture(Manifold(), labelled_model(), split())


def test_temperature_leaves_the_label_alone() -> None:
    prior = labelled_model().prior()
    torch.manual_seed(0)
    warm = draw_latents(prior, 50, 1.0, 2)
    torch.manual_seed(0)
    cold = draw_latents(prior, 50, 0.5, 2)
    torch.testing.assert_close(cold[:, :2], warm[:, :2] / 2)
    assert (cold[:, 2:] == warm[:, 2:]).all() and (cold[:, 2:].sum(1) == 1).all()


def test_names_stand_upright_where_they_are_wider_than_a_column() -> None:
    assert heads([], 0.5) == (0, 0)
    assert heads(["0", "1"], 0.5)[0] == 0
    assert heads(["0", "guinea pig"], 0.5)[0] == 90


@pytest.mark.parametrize(
    "figure", [Analogies(), StyleManifold(), Styles(), Confusion(), Reliability()],
    ids=lambda figure: type(figure).__name__,
)  # fmt: skip
def test_nothing_is_cut_off(figure: Figure) -> None:
    images = split(labels=LABELS)
    images.classes = LONG
    canvas = picture(figure, labelled_model(), images).canvas
    agg = FigureCanvasAgg(canvas)
    agg.draw()
    taken = canvas.get_tightbbox(agg.get_renderer())  # in inches
    assert min(taken.x0, taken.y0) >= 0
    assert taken.x1 <= canvas.get_figwidth() and taken.y1 <= canvas.get_figheight()


def test_description_names_rows_and_columns() -> None:
    images = split(labels=LABELS)
    images.classes = LONG
    one = labelled_model()

    def words(figure: Figure) -> str:
        summary = event("name", picture(figure, one, images).canvas).value[0]
        return summary.metadata.summary_description

    assert words(Styles()).endswith(f"from the prior. Columns: {', '.join(LONG)}")
    names = ", ".join(LONG)
    assert words(Confusion()).endswith(f"Rows: {names}. Columns: {names}")
    assert words(Reliability()).endswith("calibration error " + words(Reliability())[-5:])
    assert words(StyleManifold()).startswith("What the decoder draws for each class and z")
