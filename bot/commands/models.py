"""Commands about the model that answers."""

from __future__ import annotations

from bot.access import Rank
from bot.commands.registry import Call, command
from bot.messages import Profile
from bot.store import conversations


@command("/models")
async def models(call: Call) -> str:
    """List the models that can be chosen here."""
    current = await chosen(call)
    lines = [
        f"- **{profile.name}**: {profile.model} ({profile.provider})"
        f"{' (in use here)' if profile.name == current.name else ''}"
        for profile in call.services.profiles.all()
    ]
    return "\n".join([*lines, "", "`/model NAME` chooses one for this conversation."])


@command("/model [NAME]")
async def model(call: Call) -> str:
    """Show or choose the model of this conversation.

    `/model default` goes back to the channel's, or the one of the configuration. What is chosen in
    a channel holds for all of its threads that chose none. The choice holds over restarts.
    """
    profiles = call.services.profiles
    if not call.rest:
        current = await chosen(call)
        return f"**{current.name}** answers here: {current.model} ({current.provider})."
    back = call.rest == "default" and "default" not in {p.name for p in profiles.all()}
    name = "" if back else profiles.named(call.rest).name
    await call.services.store.insist(conversations.choose_profile, call.message.conversation, name)
    profile = await chosen(call)
    return f"From now on **{profile.name}** answers here: {profile.model} ({profile.provider})."


@command("/system [TEXT]", rank=Rank.OPERATOR)
async def system(call: Call) -> str:
    """Show or set the system prompt of this conversation.

    `/system default` goes back to the profile's own.
    """
    where, store = call.message.conversation, call.services.store
    if not call.rest:
        text = (await chosen(call)).system
        return f"The system prompt here:\n\n{quoted(text)}" if text else "No system prompt here."
    if call.rest == "default":
        await store.insist(conversations.choose_system, where, None)
        return "From now on the profile's own system prompt is used here."
    await store.insist(conversations.choose_system, where, call.rest)
    return f"From now on the system prompt here is:\n\n{quoted(call.rest)}"


async def chosen(call: Call) -> Profile:
    """The profile that answers in the conversation of a call."""
    settings = await call.services.store.insist(conversations.settings, call.message.conversation)
    return call.services.profiles.chosen(settings.profile, settings.system)


def quoted(text: str) -> str:
    """A Markdown quotation."""
    return "\n".join(f"> {line}" for line in text.split("\n"))
