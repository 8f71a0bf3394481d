"""Reading training data: from a file of any usual format to rows with their line numbers."""

from bot.datasets.reading.blocks import Progress
from bot.datasets.reading.problems import Problems
from bot.datasets.reading.read import Chunk, Source, open_rows

__all__ = ["Chunk", "Problems", "Progress", "Source", "open_rows"]
