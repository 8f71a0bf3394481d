"""One module or package a platform; each offers `Settings` and `create`, see bot.ports.Adapter."""
