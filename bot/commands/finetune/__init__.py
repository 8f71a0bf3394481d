"""Fine-tuning from the chat: /finetune and what stands behind it."""

from bot.commands.finetune import change, data, start, stock, use, watch

__all__ = ["change", "data", "start", "stock", "use", "watch"]
