"""What people can tell the bot to do: one decorated function a command.

Importing this package registers them all.
"""

from bot.commands import chat, finetune, models, records
from bot.commands.registry import Call, Command, Services, called, command, infos, is_command

__all__ = [
    "Call",
    "Command",
    "Services",
    "called",
    "chat",
    "command",
    "finetune",
    "infos",
    "is_command",
    "models",
    "records",
]
