"""The log: one line an event, on standard error; JSON unless a person watches.

No message text, token or key is ever given to it. Libraries that would log URLs with a token in
them (httpx logs each at INFO) are held at WARNING.
"""

from __future__ import annotations

from bot import lean  # isort: skip  # noqa: F401  before structlog

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog

TALKATIVE = ("httpx", "httpcore", "asyncio", "filelock")


class StandardError:
    """Standard error as it is at the moment of writing: a prompt on the terminal may hold it. What
    cannot be written there (nobody reads it any more, or the disk is full) is lost: whoever logs
    has other things to do.
    """

    def write(self, text: str) -> int:
        """Write a line or a part of one."""
        if sys.stderr is not None:  # which it is where a program was started without one
            with suppress(OSError, ValueError):
                sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """Make it visible."""
        if sys.stderr is not None:
            with suppress(OSError, ValueError):
                sys.stderr.flush()


def configure(level: str) -> None:
    """Set up structlog and the libraries' logging for this process."""
    stream = cast(TextIO, StandardError())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.UnicodeDecoder(),
    ]
    terminal = sys.stderr is not None and sys.stderr.isatty()
    renderers: list[structlog.typing.Processor] = (
        # Plain: the usual traceback there shows local variables, and so keys and what people wrote.
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
