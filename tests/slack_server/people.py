"""The people in a workspace: what they do, and what the bot is told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from tests.slack_server import elements, events, interactions
from tests.slack_server.blocks import checked_view
from tests.slack_server.delivery import Delivery
from tests.slack_server.payloads import Payload
from tests.slack_server.responses import ResponseUrl
from tests.slack_server.values import Channel, File, Json, Message, Refused, User, View
from tests.slack_server.writing import rich_text, typed


class Person:
    """Somebody in the workspace, or another app if the user is one.

    What they do has happened when the method returns, and is on its way to the bot: `settled` of
    the delivery waits for it.
    """

    def __init__(self, delivery: Delivery, user: User) -> None:
        self.user = user
        self.id = user.id
        self._delivery = delivery
        self._workspace = delivery.workspace

    @property
    def im(self) -> Channel:
        """The direct messages with the bot."""
        return self._workspace.im(self.user)

    # Messages

    def says(
        self,
        channel: Channel,
        text: str,
        *,
        thread_ts: str = "",
        files: Sequence[File] = (),
        forwards: Message | None = None,
        broadcast: bool = False,
        subtype: str = "",
    ) -> Message:
        """A message; `text` is as it is typed, so "@tunebot hello" mentions the bot. A reply may
        be `broadcast` to the channel, too. Other apps may have the `subtype` bot_message.
        """
        stored = typed(text, self._workspace.users.values())
        message = self._workspace.message(channel, self.user, stored, thread_ts=thread_ts)
        message.blocks, message.files = rich_text(stored) if stored else [], list(files)
        if forwards:
            message.attachments = [shared(forwards, self._workspace.users[forwards.user])]
        message.subtype = (
            subtype or ("thread_broadcast" if broadcast else "") or ("file_share" if files else "")
        )
        return self._workspace.add(message)

    def file(self, name: str, content: bytes, media_type: str = "text/plain") -> File:
        """A file of theirs, to be said with a message."""
        return self._workspace.keep(name, content, media_type, self.user)

    def edits(self, message: Message, text: str) -> None:
        """Another text for their message."""
        stored = typed(text, self._workspace.users.values())
        self._workspace.edit(message, stored, rich_text(stored))

    def deletes(self, message: Message) -> None:
        """Take their message away."""
        self._workspace.delete(message)

    def reacts(self, message: Message, name: str) -> None:
        """React with an emoji, by its name without colons."""
        self._workspace.react(message, name, self.user)
        self._happens(events.reaction(self._workspace, "reaction_added", self.user, name, message))

    def unreacts(self, message: Message, name: str) -> None:
        """Take a reaction back."""
        self._workspace.unreact(message, name, self.user)
        self._happens(
            events.reaction(self._workspace, "reaction_removed", self.user, name, message)
        )

    def stops(self, message: Message) -> None:
        """Press Stop in the thread of a message, which ends the message if it is streamed."""
        streams = [message.ts] if message.streaming else []
        if streams:
            self._workspace.stop_stream(message, self.user)
        self._happens(events.agent_session_stopped(self._workspace, self.user, message, *streams))

    def joins(self, channel: Channel) -> None:
        """Come into a channel."""
        self._comes(self.user, channel)

    def invites_bot(self, channel: Channel) -> None:
        """Bring the bot into a channel."""
        self._comes(self._workspace.bot, channel)

    def _comes(self, member: User, channel: Channel) -> None:
        channel.members.append(member.id)
        text = f"<@{member.id}> has joined the channel"
        message = self._workspace.message(channel, member, text)
        message.subtype = "channel_join"
        self._workspace.add(message)
        self._happens(events.member_joined_channel(self._workspace, member, channel, self.user))

    # Commands and buttons

    def slash(self, command: str, text: str = "", channel: Channel | None = None) -> Payload:
        """A slash command, in the direct messages with the bot if no channel is named. What the bot
        acknowledges it with is shown.
        """
        where = channel or self.im
        url, response_url = self._delivery.responses.give(where, self.user)
        body = interactions.command(self._workspace, self.user, command, text, where, url)
        return self._delivery.deliver(
            Payload(
                "slash_commands",
                body,
                then=lambda answer: self._answered(response_url, answer),
            )
        )

    def _answered(self, to: ResponseUrl, answer: Json) -> None:
        """A command may be acknowledged with a message."""
        if answer:
            self._delivery.responses.take(to, answer)

    def press(self, shown: Message | View, which: str, option: str = "") -> Payload:
        """Press the element of that action_id, label or value; of feedback_buttons, one by its
        label or value. `option` is what is chosen in an element that offers several.
        """
        blocks = shown.view["blocks"] if isinstance(shown, View) else shown.blocks
        action = elements.pressed(blocks, which, option)
        url = "" if isinstance(shown, View) else self._answer_to(shown)
        return self._interacts(
            interactions.block_actions(self._workspace, self.user, shown, action, url)
        )

    def shortcut(self, callback_id: str) -> Payload:
        """A global shortcut."""
        return self._interacts(interactions.shortcut(self._workspace, self.user, callback_id))

    def message_shortcut(self, callback_id: str, message: Message) -> Payload:
        """A shortcut on a message."""
        url = self._answer_to(message)
        return self._interacts(
            interactions.message_action(self._workspace, self.user, callback_id, message, url)
        )

    def _answer_to(self, message: Message) -> str:
        channel = self._workspace.channels[message.channel]
        return self._delivery.responses.give(channel, self.user, message)[0]

    def _interacts(self, body: Json) -> Payload:
        return self._delivery.deliver(Payload("interactive", body))

    # Views

    @property
    def modal(self) -> View | None:
        """The modal that stands before them."""
        stack = self._workspace.stack(self.user)
        return stack[-1] if stack else None

    @property
    def home(self) -> View | None:
        """The home tab of the bot as it is published for them."""
        return self._workspace.homes.get(self.id)

    def submits(self, view: View, values: Mapping[str, Any]) -> Payload:
        """Fill a modal in, by action_id, block_id or label, and submit it."""
        assert view in self._workspace.stack(self.user), "it does not stand before them"
        state = elements.filled(view, values)
        body = interactions.view_submission(self._workspace, self.user, view, state)
        return self._delivery.deliver(
            Payload("interactive", body, then=lambda answer: self._submitted(view, answer))
        )

    def _submitted(self, view: View, answer: Json) -> None:
        """The modal stays where the bot names errors, or wants what Slack does not take."""
        with suppress(Refused):
            self._becomes(view, answer)
        self._workspace.change()

    def _becomes(self, view: View, answer: Json) -> None:
        """What the bot makes of a modal that was submitted; it is closed if the bot says nothing.
        Raises Refused.
        """
        match answer.get("response_action"):
            case "errors":
                return
            case "update":
                view.view = checked_view(self._delivery.slack, answer["view"], "modal")
                view.hash = self._workspace.ts()
            case "push":
                pushed = checked_view(self._delivery.slack, answer["view"], "modal")
                number, at = self._workspace.id("V"), self._workspace.ts()
                self._workspace.show(View(number, "modal", self.id, pushed, at, view.id))
            case "clear":
                for each in self._workspace.stack(self.user):
                    self._workspace.hide(each)
            case _:
                self._workspace.hide(view)

    def closes(self, view: View, *, all_of_them: bool = False) -> None:
        """Put away a modal, or the whole stack of them; the bot hears of those that say so."""
        stack = self._workspace.stack(self.user)
        assert view in stack, "it does not stand before them"
        for each in stack if all_of_them else [view]:
            self._workspace.hide(each)
            if each.view.get("notify_on_close"):
                self._interacts(
                    interactions.view_closed(
                        self._workspace, self.user, each, all_of_them=all_of_them
                    )
                )

    def opens_home(self, tab: str = "home") -> None:
        """Look at the app; `tab` is "home" or "messages"."""
        self._happens(events.app_home_opened(self._workspace, self.user, tab))

    # The app

    def starts_thread(self, seen: Channel | None = None) -> Message:
        """Begin a new chat with the app, perhaps while looking at a channel; its first message."""
        root = self._workspace.message(self.im, self._workspace.bot, "New Assistant Thread")
        root.subtype, root.thread_ts = "assistant_app_thread", root.ts
        self._workspace.add(root)
        looked_at = (seen or self.im).id
        self._happens(
            events.assistant_thread_started(self._workspace, self.user, root.ts, looked_at)
        )
        return root

    def looks_at(self, channel: Channel | None) -> None:
        """Look at another channel, or at none, beside the app."""
        seen = channel.id if channel else ""
        event = events.app_context_changed(self._workspace, self.user, seen)
        self._delivery.happens(event, person=self.id)

    def uninstalls(self) -> None:
        """Take the app out of the workspace: its tokens are revoked, too."""
        self._happens(events.tokens_revoked(self._workspace))
        self._happens(events.app_uninstalled(self._workspace))

    def _happens(self, event: Json) -> None:
        self._delivery.happens(event)


def shared(message: Message, author: User) -> Json:
    """A message as it comes with another that forwards it."""
    return {
        "is_msg_unfurl": True,
        "is_share": True,
        "ts": message.ts,
        "channel_id": message.channel,
        "author_id": author.id,
        "author_name": author.display_name,
        "text": message.text,
        "fallback": f"{author.display_name}: {message.text}",
        "from_url": f"https://example.slack.com/archives/{message.channel}/p{message.ts}",
    }
