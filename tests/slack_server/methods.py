"""The methods of the Web API by their names, and those that only look something up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from tests.slack_server.values import Channel, Json, Message, Parameters, Refused, User

if TYPE_CHECKING:
    from tests.slack_server.server import SlackServer

MOST_A_PAGE = 1000
T = TypeVar("T")
Method = Callable[["SlackServer", Parameters], Json]
METHODS: dict[str, Method] = {}


def method(name: str) -> Callable[[Method], Method]:
    """Register a method of the Web API."""

    def register(function: Method) -> Method:
        METHODS[name] = function
        return function

    return register


@method("auth.test")
def auth_test(slack: SlackServer, _: Parameters) -> Json:
    """Whose token it is."""
    workspace = slack.workspace
    return {
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.domain,
        "team_id": workspace.team,
        "user": workspace.bot.name,
        "user_id": workspace.bot.id,
        "bot_id": workspace.bot.bot_id,
        "is_enterprise_install": False,
    }


@method("apps.connections.open")
def apps_connections_open(slack: SlackServer, _: Parameters) -> Json:
    """Where a socket is to be opened; given by what delivers."""
    if not slack.delivery:
        raise Refused("internal_error")
    return {"url": slack.delivery.link()}


@method("team.info")
def team_info(slack: SlackServer, _: Parameters) -> Json:
    """What the workspace is called."""
    workspace = slack.workspace
    return {"team": {"id": workspace.team, "name": workspace.domain, "domain": workspace.domain}}


@method("bots.info")
def bots_info(slack: SlackServer, given: Parameters) -> Json:
    """Who is behind a bot_id."""
    bot = slack.workspace.bot
    if given.get("bot") != bot.bot_id:
        raise Refused("bot_not_found")
    about = {"id": bot.bot_id, "name": bot.name, "user_id": bot.id, "deleted": False}
    return {"bot": {**about, "app_id": slack.workspace.app}}


@method("users.info")
def users_info(slack: SlackServer, given: Parameters) -> Json:
    """Who somebody is."""
    return {"user": user(slack, given["user"]).json()}


@method("users.list")
def users_list(slack: SlackServer, given: Parameters) -> Json:
    """Everybody."""
    people, cursor = page(list(slack.workspace.users.values()), given, 200)
    return {"members": [each.json() for each in people], **cursor}


@method("conversations.info")
def conversations_info(slack: SlackServer, given: Parameters) -> Json:
    """What a channel is."""
    return {"channel": channel(slack, given).json()}


@method("conversations.open")
def conversations_open(slack: SlackServer, given: Parameters) -> Json:
    """The direct messages with one person; several people are not imitated."""
    if given.get("channel"):
        return {"channel": channel(slack, given).json()}
    ids = [each for each in str(given.get("users", "")).split(",") if each]
    if not ids:
        raise Refused("users_list_not_supplied")
    if len(ids) > 1:
        raise Refused("too_many_users")
    opened = slack.workspace.im(user(slack, ids[0]))
    return {"channel": opened.json() if flag(given, "return_im") else {"id": opened.id}}


@method("conversations.replies")
def conversations_replies(slack: SlackServer, given: Parameters) -> Json:
    """A thread, its first message at the head of every page, oldest first; of a reply's ts that
    reply alone.
    """
    where = channel(slack, given)
    named = slack.workspace.find(where.id, given["ts"])
    if not named:
        raise Refused("thread_not_found")
    thread = [named] if named.in_thread else slack.workspace.messages(where, named.ts)
    root, replies = thread[0], within(thread[1:], given)
    found, cursor = page(replies, given, MOST_A_PAGE)
    return told([root, *found], given, cursor)


@method("conversations.history")
def conversations_history(slack: SlackServer, given: Parameters) -> Json:
    """What stands in a channel outside of its threads, newest first."""
    where = channel(slack, given)
    if slack.workspace.bot.id not in where.members:
        raise Refused("not_in_channel")
    outside = [each for each in slack.workspace.messages(where) if not each.in_thread]
    found, cursor = page(within(outside, given)[::-1], given, 100)
    return told(found, given, cursor)


def told(messages: Sequence[Message], given: Parameters, cursor: Json) -> Json:
    """Messages as these methods answer them; metadata only for who asks for it."""
    metadata = flag(given, "include_all_metadata")
    return {"messages": [each.json(metadata=metadata) for each in messages], **cursor}


def within(messages: Sequence[Message], given: Parameters) -> list[Message]:
    """Those after `oldest` and before `latest`; with `inclusive` these, too."""
    oldest, latest = float(given.get("oldest") or 0), float(given.get("latest") or "inf")
    inclusive = flag(given, "inclusive")
    return [
        each
        for each in messages
        if oldest < float(each.ts) < latest or (inclusive and float(each.ts) in {oldest, latest})
    ]


def page(items: Sequence[T], given: Parameters, limit: int) -> tuple[Sequence[T], Json]:
    """A page of items and what says where the next begins. Raises Refused("invalid_cursor")."""
    cursor = str(given.get("cursor") or "0")
    if not cursor.isdigit():
        raise Refused("invalid_cursor")
    first = int(cursor)
    last = first + min(int(given.get("limit") or limit), MOST_A_PAGE)
    more = last < len(items)
    told = {"response_metadata": {"next_cursor": f"{last}" if more else ""}, "has_more": more}
    return items[first:last], told


def channel(slack: SlackServer, given: Parameters, name: str = "channel") -> Channel:
    """The channel that is meant, by its id. Raises Refused.

    What is private and the bot is not in does not exist for it.
    """
    workspace = slack.workspace
    found = workspace.channels.get(str(given.get(name)))
    if not found or (found.kind != "public" and workspace.bot.id not in found.members):
        raise Refused("channel_not_found")
    return found


def writable(slack: SlackServer, given: Parameters, name: str = "channel") -> Channel:
    """The channel that is meant, where the bot may write. Raises Refused.

    A user's id stands for the direct messages with them, as chat.postMessage has it.
    """
    person = slack.workspace.users.get(str(given.get(name)))
    found = slack.workspace.im(person) if person else channel(slack, given, name)
    if found.archived:
        raise Refused("is_archived")
    if slack.workspace.bot.id not in found.members:
        raise Refused("not_in_channel")
    return found


def user(slack: SlackServer, user_id: object) -> User:
    """Who is meant. Raises Refused."""
    found = slack.workspace.users.get(str(user_id))
    if not found:
        raise Refused("user_not_found")
    return found


def flag(given: Parameters, name: str) -> bool:
    """A boolean, which in a form is a word."""
    return str(given.get(name)) in {"1", "true", "True"}
