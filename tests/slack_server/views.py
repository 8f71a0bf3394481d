"""Modals and home tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.slack_server.blocks import checked_view
from tests.slack_server.methods import method, user
from tests.slack_server.values import Json, Parameters, Refused, View

if TYPE_CHECKING:
    from tests.slack_server.server import SlackServer

MOST_VIEWS = 3


@method("views.open")
def open_view(slack: SlackServer, given: Parameters) -> Json:
    """A modal before the person whose command or button it answers."""
    return shown(slack, given)


@method("views.push")
def push(slack: SlackServer, given: Parameters) -> Json:
    """A modal on top of the one that stands before the person."""
    return shown(slack, given, pushed=True)


def shown(slack: SlackServer, given: Parameters, *, pushed: bool = False) -> Json:
    """A new modal."""
    workspace = slack.workspace
    view = checked_view(slack, given["view"], "modal")
    person = workspace.pull(str(given.get("trigger_id")))
    below = workspace.stack(person)
    if pushed and not below:
        raise Refused("not_found")
    if pushed and len(below) >= MOST_VIEWS:
        raise Refused("push_limit_reached")
    previous = below[-1].id if pushed else ""
    opened = View(workspace.id("V"), "modal", person.id, view, workspace.ts(), previous)
    workspace.show(opened)
    return {"view": opened.json()}


@method("views.update")
def update(slack: SlackServer, given: Parameters) -> Json:
    """Another content for a view, by its id or the external id that it was given."""
    view = meant(slack, given)
    if given.get("hash") not in {None, view.hash}:
        raise Refused("hash_conflict")
    view.view = checked_view(slack, given["view"], view.kind)
    view.hash = slack.workspace.ts()
    slack.workspace.change()
    return {"view": view.json()}


@method("views.publish")
def publish(slack: SlackServer, given: Parameters) -> Json:
    """A person's home tab."""
    workspace = slack.workspace
    person, view = user(slack, given["user_id"]), checked_view(slack, given["view"], "home")
    before = workspace.homes.get(person.id)
    if before and given.get("hash") not in {None, before.hash}:
        raise Refused("hash_conflict")
    number = before.id if before else workspace.id("V")
    home = View(number, "home", person.id, view, workspace.ts())
    workspace.show(home)
    return {"view": home.json()}


def meant(slack: SlackServer, given: Parameters) -> View:
    """The view that is meant, by its id or the external id that the bot gave it. Raises Refused."""
    for view in slack.workspace.views.values():
        external = view.view.get("external_id")
        if given.get("view_id") == view.id or (external and given.get("external_id") == external):
            return view
    raise Refused("not_found")
