"""Everything that can go wrong in words that the person in the chat reads.

    BotError                    said as it is; anything else is a bug and gets a reference
    ├── ConfigError             the start ends with it, exit code 2
    ├── AccessDenied            this person may not do this
    ├── TooFast                 over a rate or a budget
    ├── CommandError            a command that does not exist, or is used wrongly
    ├── ModelError              no answer, or not all of it
    │   ├── ModelRefused        the provider understood and said no: trying again does not help
    │   │   └── ContextTooLong  more tokens than the model's window
    │   ├── ModelUnavailable    busy or out of reach, until the deadline
    │   └── AnswerBroken        the stream broke after the first token: what came is kept
    ├── TuningError             the tuning service understood and said no
    │   ├── TuningBusy          it did nothing: later it may
    │   │   └── TuningSpent     the limit of the day is reached: today it will not
    │   └── TuningUnreached     no answer: it is not known whether it was done
    ├── StoreError              the database could not take a step
    │   ├── StoreBusy           locked by another program: later may work
    │   ├── StoreFull           no room on the disk: later may work
    │   └── StoreTaken          another tunebot owns this database
    ├── LocalUnavailable        this machine cannot serve a model
    ├── DatasetError            a file of training data cannot be read, or not be prepared
    └── DeliveryError           the platform did not take a message: later may work
        └── DeliveryRefused     it never will

Errors are translated once, where the foreign one is met; the middle lets them rise.
"""

from __future__ import annotations


class BotError(Exception):
    """A sentence for the person in the chat, which names what is wrong and what to do."""


class ConfigError(BotError):
    """The configuration cannot be used. The sentence names the key and the remedy."""


class AccessDenied(BotError):
    """This person may not do this."""


class TooFast(BotError):
    """Over a rate or a budget; the sentence says when to come back."""


class CommandError(BotError):
    """A command that does not exist, or that is used wrongly."""


class ModelError(BotError):
    """The model gave no answer, or not all of it."""


class ModelRefused(ModelError):
    """The provider understood the request and said no. `status` is the HTTP status, 0 if none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class ContextTooLong(ModelRefused):
    """More tokens than the model takes. `window` is the model's limit in tokens, 0 if not said."""

    def __init__(self, message: str, window: int = 0) -> None:
        super().__init__(message, 400)
        self.window = window


class ModelUnavailable(ModelError):
    """The provider was busy or out of reach until the deadline."""


class AnswerBroken(ModelError):
    """The stream broke after its first token."""


class TuningError(BotError):
    """A tuning service understood and said no. `code` is its own name for the reason, "" if it gave
    none; `status` the HTTP status, 0 if there is none.
    """

    def __init__(self, message: str, code: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class TuningBusy(TuningError):
    """The tuning service did nothing, and may do it later. `retry_after` is the wait that it asked
    for, in seconds; None if it asked for none.
    """

    def __init__(
        self, message: str, code: str = "", status: int = 0, retry_after: float | None = None
    ) -> None:
        super().__init__(message, code, status)
        self.retry_after = retry_after


class TuningSpent(TuningBusy):
    """The limit of the day is reached: asking again before tomorrow does not help."""


class TuningUnreached(TuningError):
    """The tuning service gave no answer: it is not known whether it did what was asked."""


class StoreError(BotError):
    """The database could not take a step; nothing of the step is stored."""


class StoreBusy(StoreError):
    """Another program holds the database; the same step may work later."""


class StoreFull(StoreError):
    """No room on the disk; the same step may work once there is."""


class StoreTaken(StoreError):
    """Another tunebot owns this database."""


class LocalUnavailable(BotError):
    """This machine cannot serve a model; the sentence says how to configure a provider."""


class DatasetError(BotError):
    """Training data cannot be read or prepared. `line` is where, counted from 1; 0 is nowhere."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class DeliveryError(BotError):
    """The platform did not take a message; later it may.

    `retry_after` is the wait that the platform asked for, in seconds; None if it asked for none.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DeliveryRefused(DeliveryError):
    """The platform will never take this message: the chat is gone, or the bot is blocked."""
