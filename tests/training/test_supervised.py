"""Training a classifier, and which of its states is kept."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from linear_gaussian import LinearGaussian
from torch import Tensor, nn

from vae_cli.data.dataset import StoredImages
from vae_cli.data.split import Split, Treatment
from vae_cli.errors import TrainingError
from vae_cli.model.classifier import EncoderClassifier, Head
from vae_cli.model.codes import coded
from vae_cli.training import supervised
from vae_cli.training.supervised import (
    ChosenState,
    Score,
    SupervisedOptions,
    score_of,
    train_on_labels,
)

TRUTH = LinearGaussian(lengths=(2.0, 2.0))
GREY = Treatment("none", dequantize=False, levels=None)
QUICK = SupervisedOptions(steps=60, batch_size=32, lr=1e-2, seed=0)
CLASSES = 4


def split(name: str, count: int, seed: int, known: int | None = None) -> Split:
    """Images whose label says in which quadrant the code lies, the first ones with labels."""
    x = TRUTH.batch(count, seed).x
    z = TRUTH.posterior_mean(x)
    labels = (z[:, 0] > 0).long() + 2 * (z[:, 1] > 0).long()
    labels[known or count :] = -1
    return Split(name, StoredImages(x.float(), labels), GREY)


def splits(known: int | None = None) -> dict[str, Split]:
    names = ("train", "validation", "test")
    return {n: split(n, 400, i, known if n == "train" else None) for i, n in enumerate(names)}


def encoder_classifier(parts: dict[str, Split], seed: int = 0) -> EncoderClassifier:
    torch.manual_seed(seed)
    model = TRUTH.vae().float()
    for parameter in model.encoder.parameters():
        nn.init.normal_(parameter, std=0.1)
    return EncoderClassifier(model, Head(codes(coded(model, parts["train"])), CLASSES, [16]))


def head(parts: dict[str, Split]) -> tuple[Head, dict[str, Split]]:
    found = {name: coded(TRUTH.vae().float(), part) for name, part in parts.items()}
    torch.manual_seed(0)
    return Head(codes(found["train"]), CLASSES, [16]), found


def codes(of_codes: Split) -> Tensor:
    return of_codes.batch(torch.arange(len(of_codes))).x.flatten(1)


def run(network: nn.Module, parts: dict[str, Split], **options: Any) -> ChosenState:
    return train_on_labels(network, parts, QUICK._replace(**options), lambda step: None)


def state(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(("known", "accuracy"), [(40, 0.85), (None, 0.97)])
def test_a_head_on_codes_tells_what_they_part(known: int | None, accuracy: float) -> None:
    network, parts = head(splits(known))
    chosen = run(network, parts, steps=200)
    assert chosen.validation.accuracy > accuracy
    assert score_of(network, parts["test"], 0).accuracy > accuracy


def test_an_encoder_learns_with_its_head() -> None:
    parts = splits()
    network = encoder_classifier(parts)
    before = state(network)
    run(network, parts, steps=200)
    assert score_of(network, parts["test"], 0).accuracy > 0.95
    changed = {
        name for name, value in state(network).items() if not torch.equal(value, before[name])
    }
    trained = {n for n in before if n.startswith(("encoder.encoder.", "head.layers."))}
    assert changed == trained


def test_of_chance_nothing_is_learnt() -> None:
    parts = splits()
    for i, name in enumerate(parts):
        y = torch.randint(CLASSES, (400,), generator=torch.Generator().manual_seed(i))
        parts[name].images = parts[name].images.relabelled(y)
    network, of_codes = head(parts)
    run(network, of_codes)
    assert score_of(network, of_codes["test"], 0).accuracy == pytest.approx(0.25, abs=0.08)


@pytest.mark.parametrize("make", [lambda p: (encoder_classifier(p), p), head], ids=["all", "head"])
def test_a_function_of_the_seed(make: Callable[..., tuple[nn.Module, dict[str, Split]]]) -> None:
    found = []
    for seed in (0, 0, 1):
        network, parts = make(splits())
        torch.manual_seed(17 * len(found))  # what was drawn before does not matter
        found.append((run(network, parts, seed=seed, steps=20), state(network)))
    assert found[0][0] == found[1][0] and same(found[0][1], found[1][1])
    assert not same(found[0][1], found[2][1])


def test_binary_images_are_drawn_anew_in_training_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = splits()
    drawn = Treatment("dynamic", dequantize=False, levels=256)
    for name, part in parts.items():
        pixels = (part.images.take(torch.arange(400)).sigmoid() * 255).byte()
        parts[name] = Split(name, StoredImages(pixels, part.images.labels), drawn)
    seen: list[tuple[bool, Tensor]] = []
    network = encoder_classifier(parts)
    network.register_forward_pre_hook(lambda module, args: seen.append((module.training, args[0])))
    run(network, parts, steps=4, batch_size=400)
    for training in (True, False):
        batches = [batch for flag, batch in seen if flag == training and len(batch.x) == 400]
        ordered = {tuple(b.x[b.index.argsort()].flatten().tolist()) for b in batches}
        assert len(ordered) == (4 if training else 1)


def test_images_without_a_label_have_no_part() -> None:
    parts, others = splits(known=50), splits(known=50)
    others["train"].images.pixels[50:] = 1e6  # type: ignore[attr-defined]
    states = []
    for each in (parts, others):
        network = encoder_classifier(each)
        run(network, each, steps=20)
        states.append(state(network))
    assert same(*states)


def test_the_best_state_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    scores: list[Score] = []
    states: list[dict[str, Tensor]] = []

    def spy(network: nn.Module, part: Split, seed: int) -> Score:
        assert part.name == "validation"  # test images choose nothing
        scores.append(score_of(network, part, seed))
        states.append(state(network))
        return scores[-1]

    monkeypatch.setattr(supervised, "score_of", spy)
    network, parts = head(splits(known=40))
    chosen = run(network, parts, steps=130, lr=0.3)
    best = max(range(len(scores)), key=lambda i: (scores[i].accuracy, scores[i].log_label))
    steps = sorted({round(130 ** (k / 50)) for k in range(1, 51)})
    assert len(scores) == len(steps) and best < len(steps) - 1
    assert chosen == ChosenState(steps[best], steps[best], scores[best])  # one batch of 40 an epoch
    assert same(state(network), states[best])
    assert score_of(network, parts["validation"], 0) == scores[best]


def test_the_last_step_is_among_those_to_choose_from(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    growing = iter(range(1000))
    monkeypatch.setattr(supervised, "score_of", lambda *_: Score(float(next(growing)), 0.0))
    network, parts = head(splits())
    chosen = train_on_labels(
        network, parts, QUICK._replace(steps=101, batch_size=9999), asked.append
    )
    assert chosen.step == chosen.epoch == 101 and asked == list(range(1, 102))


def test_scores_are_those_of_plain_loops() -> None:
    parts = splits()
    parts["test"].images = parts["test"].images.relabelled(
        torch.where(torch.arange(400) % 3 > 0, parts["test"].images.labels, -1)
    )
    network = encoder_classifier(parts)
    right, log_label = [], []
    for i in range(400):
        batch = parts["test"].batch(torch.tensor([i]))
        if batch.y >= 0:
            p = network(batch)[0].detach().double().softmax(0)
            right.append(float(p.argmax() == batch.y))
            log_label.append(p[batch.y].log().item())
    score = score_of(network, parts["test"], 0)
    assert score.accuracy == pytest.approx(sum(right) / len(right))
    assert score.log_label == pytest.approx(sum(log_label) / len(right))


def test_numbers_that_break_end_in_one_line() -> None:
    network, parts = head(splits())
    with pytest.raises(TrainingError, match=r"step \d+: .* is NaN or infinite. Try a smaller lr"):
        run(network, parts, lr=1e30)
