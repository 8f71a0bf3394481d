"""The person at the terminal, as the core knows them."""

from __future__ import annotations

import getpass

from adapters.terminal.attaching import attachment, named_file
from adapters.terminal.output import Output
from bot.errors import StoreError
from bot.messages import ConversationId, IncomingMessage, Person
from bot.ports import Core


class Speaker:
    """Says something to the core and waits for the answer. There is one history, over restarts."""

    def __init__(self, core: Core, adapter: str, output: Output) -> None:
        self._core = core
        self._output = output
        self._conversation = ConversationId(adapter, "terminal")
        self._person = Person(f"{adapter}:local", login_name())

    async def says(self, text: str) -> bool:
        """False when it was not taken; the person was told why and may say it again."""
        text, file = named_file(text, self._core.commands)
        try:
            files = (attachment(file, self._core.files),) if file else ()
            message = IncomingMessage(self._conversation, self._person, text, attachments=files)
            await self._core.receive(message)
        except StoreError as error:
            await self._output.note(str(error))
            return False
        except OSError as error:
            await self._output.note(f"{file} cannot be read: {error.strerror}.")
            return False
        return True

    async def answered(self) -> None:
        """Return when nothing is owed to the person any more."""
        await self._core.idle(self._conversation)


def login_name() -> str:
    """What the person is called on this machine; "" in a container without such a user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
