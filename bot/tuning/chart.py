"""The loss of a job as a picture, for when it has ended."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

TRAINING, VALIDATION, CHECKPOINT = "#2563eb", "#d97706", "#9ca3af"  # told apart by the colour-blind

Curve = Sequence[tuple[int, float]]


def loss_chart(title: str, training: Curve, validation: Curve, checkpoints: Sequence[int]) -> bytes:
    """A PNG of 800 × 450 pixels: both curves over the steps, checkpoints as dashed lines.

    It takes a second and 40 MB at first: let another process draw it.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  as heavy as all the rest of the bot

    figure = Figure(figsize=(8, 4.5), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    for name, curve, colour in (
        ("training loss", training, TRAINING),
        ("validation loss", validation, VALIDATION),
    ):
        if curve:
            steps, losses = zip(*curve, strict=True)
            marker = "o" if len(curve) < 30 else ""
            axes.plot(steps, losses, label=name, color=colour, marker=marker, markersize=4)
    for number, step in enumerate(checkpoints):
        name = "" if number else "checkpoint"
        axes.axvline(step, label=name, color=CHECKPOINT, linestyle="--", linewidth=1)
    axes.set_title(title, parse_math=False)
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if training or validation or checkpoints:
        axes.legend(frameon=False)
    picture = BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()
