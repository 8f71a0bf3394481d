"""`tunebot finetune`: the commands of the chat, from a shell."""

from bot.shell.run import finetune

__all__ = ["finetune"]
