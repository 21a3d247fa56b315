"""The line below a picture, which says where it is from."""

import io

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure as Canvas
from PIL import Image

from vae_cli.figure.base import pixels
from vae_cli.figure.ink import text_width
from vae_cli.figure.sheet import sheet
from vae_cli.figure.signed import SIZE, fitted_words, frame_with, save_with

WORDS = "data: digits; run: digits_vae/2026-11-20_09-00-00"


def canvases() -> list[Canvas]:
    placed = sheet(torch.zeros(4, 1, 4, 4), 2, "title", ["a", "b"])
    laid_out = Canvas(figsize=(3, 2), dpi=200, layout="constrained")
    laid_out.add_subplot().set_title("title")
    return [placed, laid_out]


@pytest.mark.parametrize("canvas", canvases(), ids=["placed by hand", "laid out"])
@pytest.mark.parametrize("words", [WORDS, WORDS * 9])
def test_it_is_below_the_picture_and_not_cut_off(canvas: Canvas, words: str) -> None:
    before = pixels(canvas, 200)
    file = io.BytesIO()
    save_with(canvas, file, "png", words)
    after = np.asarray(Image.open(file).convert("RGB"))
    assert abs(after.shape[1] - before.shape[1]) <= 1
    strip = after[len(before) :]
    ink = np.argwhere((strip < 200).any(-1))
    assert (
        len(ink) and (ink.min(0) > 0).all() and (ink.max(0) < np.array(strip.shape[:2]) - 1).all()
    )
    assert pixels(canvas, 200).shape == before.shape


def test_the_paper_grows_where_a_layout_has_no_room() -> None:
    canvas = Canvas(figsize=(3, 2), dpi=100, layout="constrained")
    canvas.add_subplot().set_ylabel("label " * 20)
    file = io.BytesIO()
    save_with(canvas, file, "png", WORDS)
    ink = np.asarray(Image.open(file).convert("RGB")) < 200
    assert len(ink) > 400 and not ink[0].any() and not ink[:, 0].any() and not ink[:, -1].any()


@pytest.mark.parametrize("kind", ["svg", "pdf"])
def test_it_is_in_every_format(kind: str) -> None:
    files = [io.BytesIO(), io.BytesIO()]
    for file, words in zip(files, ("", WORDS), strict=True):
        save_with(canvases()[0], file, kind, words)
    assert len(files[1].getvalue()) > len(files[0].getvalue())


@pytest.mark.parametrize("width", [0.6, 1.0, 3.0])
def test_long_names_are_shortened(width: float) -> None:
    assert 0.5 * width < text_width(fitted_words(WORDS * 9, width), SIZE) <= width


def test_a_frame_keeps_its_pixels() -> None:
    frame = np.full((50, 300, 3), 7, np.uint8)
    signed = frame_with(frame, WORDS * 9)
    assert signed.shape[1] == 300 and (signed[:50] == frame).all()
    assert (signed[50:] < 200).any() and (signed[50:, 299] == 255).all()
