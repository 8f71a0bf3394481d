"""How far a long step is, for the person who waits at the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a step of `total` bytes on stderr and yield what tells how many of them are done.

    A terminal shows a bar, which goes when the step ends; a log gets one plain line.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        console.print(f"{what} ({total / 1e6:.0f} MB) …", highlight=False, soft_wrap=True)
        yield lambda _: None
        return
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        step = bar.add_task(what, total=total)
        yield lambda done: bar.update(step, completed=done)
