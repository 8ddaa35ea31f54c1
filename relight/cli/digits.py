"""A picture of how digits were recognised: a sheet of them, and the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_INK = (32, 33, 36)
_FAINT = (120, 124, 130)
_PAPER = (255, 255, 255)
_WRONG = (200, 30, 45)
_RIGHT = (25, 90, 170)
_CELL = 62  # pixels from one digit of the sheet to the next
_SCALE = 2  # pixels of the picture for one of a digit


def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def draw(
    images: np.ndarray, labels: Sequence[int], predicted: Sequence[int], sure: Sequence[float]
) -> Image.Image:
    """The picture of predictions.

    Args:
      images: float32 [n, 784] in [0, 1], 28 rows of 28.
      labels, predicted: [n] classes 0 to 9.
      sure: [n] the probability of each prediction.

    The sheet shows the wrong digits first, those of which the model was surest before the others,
    with a red frame, what was read and what it is; then others, in their order.
    """
    truth, found, certainty = (np.asarray(a) for a in (labels, predicted, sure))
    wrong = np.flatnonzero(truth != found)
    wrong = wrong[np.argsort(-certainty[wrong], kind="stable")]
    right = np.flatnonzero(truth == found)
    columns, rows = 16, 10
    shown = np.concatenate([wrong[: columns * (rows - 4)], right])[: columns * rows]
    margin, top = 24, 84
    sheet_width = columns * _CELL
    matrix_side = 46
    width = margin * 3 + sheet_width + matrix_side * 11
    height = top + rows * (_CELL + 14) + margin
    picture = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(picture)
    accuracy = float(np.mean(truth == found)) if len(truth) else 0.0
    pen.text(
        (margin, 18),
        f"{accuracy:.2%} of {len(truth):,} digits are right",
        fill=_INK,
        font=_font(24),
    )
    caption = f'{len(wrong)} are wrong: they come first, framed; "1 for 7" is a 7 read as 1'
    pen.text((margin, 50), caption, fill=_FAINT, font=_font(15))
    for place, index in enumerate(shown):
        left = margin + place % columns * _CELL
        upper = top + place // columns * (_CELL + 14)
        _digit(picture, pen, images[index], left, upper, int(truth[index]), int(found[index]))
    _matrix(pen, truth, found, margin * 2 + sheet_width, top, matrix_side)
    return picture


def _digit(
    picture: Image.Image, pen: Any, image: np.ndarray, left: int, top: int, label: int, found: int
) -> None:
    grey = (255 - np.clip(image.reshape(28, 28), 0, 1) * 255).astype(np.uint8)
    size = 28 * _SCALE
    picture.paste(Image.fromarray(grey).resize((size, size)), (left, top))
    if label == found:
        pen.text(
            (left + size // 2, top + size + 1), str(found), fill=_FAINT, font=_font(12), anchor="ma"
        )
        return
    pen.rectangle((left - 1, top - 1, left + size, top + size), outline=_WRONG, width=2)
    pen.text(
        (left + size // 2, top + size + 1),
        f"{found} for {label}",
        fill=_WRONG,
        font=_font(12),
        anchor="ma",
    )


def _matrix(pen: Any, truth: np.ndarray, found: np.ndarray, left: int, top: int, side: int) -> None:
    """The confusion matrix: a row for each label, a column for each prediction."""
    counts = np.zeros((10, 10), np.int64)
    np.add.at(counts, (truth.astype(np.int64), found.astype(np.int64)), 1)
    pen.text((left + side, top - 40), "columns: what it was read as", fill=_FAINT, font=_font(15))
    most_wrong = max(1, int((counts - np.diag(np.diag(counts))).max()))
    for i in range(10):
        pen.text(
            (left + side * 1.5 + i * side, top - 2), str(i), fill=_INK, font=_font(15), anchor="ms"
        )
        pen.text(
            (left + side - 8, top + side * (i + 0.5) + 4),
            str(i),
            fill=_INK,
            font=_font(15),
            anchor="rm",
        )
        total = max(1, int(counts[i].sum()))
        for j in range(10):
            count = int(counts[i, j])
            strength = count / total if i == j else count / most_wrong
            x, y = left + side + j * side, top + 4 + i * side
            colour = _blend(_RIGHT if i == j else _WRONG, strength if count else 0.0)
            pen.rectangle((x, y, x + side - 2, y + side - 2), fill=colour)
            if count:
                ink = _PAPER if strength > 0.55 else _INK
                pen.text(
                    (x + side / 2 - 1, y + side / 2 - 1),
                    str(count),
                    fill=ink,
                    font=_font(14),
                    anchor="mm",
                )
    pen.text((left + side, top + side * 10 + 14), "rows: what it is", fill=_FAINT, font=_font(15))


def _blend(colour: tuple[int, int, int], strength: float) -> tuple[int, int, int]:
    faint = (244, 245, 247)
    part = 0.15 + 0.85 * strength if strength else 0.0
    return tuple(round(f + (c - f) * part) for f, c in zip(faint, colour))  # type: ignore[return-value]
