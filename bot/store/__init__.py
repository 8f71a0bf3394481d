"""All durable state: one SQLite file, one owning thread, one module a noun.

`Store.do(step, …)` runs a step, a function of the database and its arguments, as one transaction.
"""

from bot.store import lean  # isort: skip  # noqa: F401  before sqlite-utils
from bot.store.database import Store
from bot.store.file import backup, beside, healthy

__all__ = ["Store", "backup", "beside", "healthy"]
