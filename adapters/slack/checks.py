"""What `tunebot check` tries at Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from adapters.slack import Settings
from adapters.slack.api import Api
from adapters.slack.failures import Lost, Unreached
from adapters.slack.manifest import SCOPES
from adapters.slack.sockets import why
from bot.errors import DeliveryError
from bot.ports import Check

UNTOLD = "Slack does not say which the token has"
REMEDY = (
    "add them at api.slack.com/apps under OAuth & Permissions, Bot Token Scopes, or paste what "
    "`tunebot manifest` prints under App Manifest; then reinstall the app under Install App"
)
SUBSCRIBED = (
    "Slack tells no program which it sends: if some do not arrive, paste what `tunebot manifest` "
    "prints under App Manifest at api.slack.com/apps"
)


async def checks(name: str, settings: Settings, api: Api, app_token: str) -> Sequence[Check]:
    """The tokens, the scopes, and the way on which messages come. `app_token` is of no meaning
    where `settings.mode` is "http".
    """
    return [line async for line in lines(name, settings, api, app_token)]


async def lines(name: str, settings: Settings, api: Api, app_token: str) -> AsyncIterator[Check]:
    """One after the other; without a bot token that works nothing else is tried."""
    try:
        me = await api.auth_test()
        granted = await api.scopes()
    except DeliveryError as error:
        yield Check(f"adapter {name}", works=False, found=reason(error))
        return
    found = f"answers as @{me.get('user')} in the workspace {me.get('team')}"
    yield Check(f"adapter {name}", works=True, found=found)
    yield scopes(name, granted)
    yield await socket(name, api, app_token) if settings.mode == "socket" else request_url(name)
    yield Check(f"{name} events and commands", works=True, found=SUBSCRIBED)


def scopes(name: str, granted: frozenset[str]) -> Check:
    """Whether the token may do all that the bot does."""
    what = f"{name} scopes"
    missing = [each for each in SCOPES if each not in granted]
    if not granted:
        return Check(what, works=True, found=UNTOLD)
    if missing:
        return Check(what, works=False, found=f"missing: {', '.join(missing)}; {REMEDY}")
    return Check(what, works=True, found="all that are needed")


async def socket(name: str, api: Api, app_token: str) -> Check:
    """Whether a socket may be opened; none is."""
    try:
        await api.socket_url(app_token)
    except DeliveryError as error:
        found = reason(error) if isinstance(error, Unreached | Lost) else why(error)
        return Check(f"{name} socket", works=False, found=found)
    return Check(f"{name} socket", works=True, found="Slack opens one for SLACK_APP_TOKEN")


def request_url(name: str) -> Check:
    """What can be said where Slack calls: it calls nobody for a check."""
    found = (
        f"SLACK_SIGNING_SECRET is set, and the door is /{name} on the server of [adapters.http]: "
        f"`tunebot manifest --url https://…` writes its address into the app"
    )
    return Check(f"{name} request URL", works=True, found=found)


def reason(error: DeliveryError) -> str:
    """Why nothing is known."""
    if isinstance(error, Unreached | Lost):
        return f"{error} Check api_url and the network."
    return str(error)
