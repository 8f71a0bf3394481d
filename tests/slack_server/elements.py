"""What can be pressed, chosen and filled in: the elements of messages and views."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tests.slack_server.values import Json, View

# The field of an element's state and action that holds what was given, by the element's type.
GIVEN = {
    **dict.fromkeys(
        ("plain_text_input", "number_input", "email_text_input", "url_text_input"), "value"
    ),
    **dict.fromkeys(("static_select", "radio_buttons", "overflow"), "selected_option"),
    **dict.fromkeys(("checkboxes", "multi_static_select"), "selected_options"),
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "users_select": "selected_user",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
}
BUTTONS = frozenset({"button", "icon_button", "workflow_button"})


class Pressed(NamedTuple):
    """What was pressed or chosen: an action, without its action_ts."""

    labels: frozenset[str]
    action: Json


def pressed(blocks: list[Json], which: str, option: str = "") -> Json:
    """The action of pressing the element of that action_id, label or value. `option` is the label
    or value of what was chosen there, where it offers several.
    """
    for each in pressable(blocks):
        if which in each.labels and (not option or option in each.labels):
            return each.action
    raise AssertionError(f"nothing here is called {which} {option}")


def pressable(blocks: list[Json]) -> Iterator[Pressed]:
    """Everything that can be pressed in blocks, first to last."""
    for number, block in enumerate(blocks):
        for element in (*block.get("elements", ()), block.get("accessory"), block.get("element")):
            if isinstance(element, dict) and "type" in element:
                yield from presses(element, str(block.get("block_id", f"block-{number}")))


def presses(element: Json, block_id: str) -> Iterator[Pressed]:
    """What pressing an element may do."""
    action_id = str(element.get("action_id", ""))
    action: Json = {"type": element["type"], "action_id": action_id, "block_id": block_id}
    if element["type"] in BUTTONS:
        yield Pressed(labels(action_id, element), {**action, **carried(element)})
    elif element["type"] == "feedback_buttons":
        for button in (element["positive_button"], element["negative_button"]):
            yield Pressed(labels(action_id, button), {**action, **carried(button)})
    elif GIVEN.get(element["type"]) == "selected_option":
        for each in element.get("options", ()):
            yield Pressed(labels(action_id, each), {**action, "selected_option": each})


def labels(action_id: str, button: Json) -> frozenset[str]:
    """The names under which a person or a test knows a button or an option."""
    shown = (button.get("text", {}).get("text"), button.get("accessibility_label"))
    return frozenset({action_id, *shown, button.get("value")} - {None, ""})


def carried(button: Json) -> Json:
    """What a button's action repeats of it."""
    return {key: button[key] for key in ("text", "value", "style") if key in button}


# What can be filled in


def filled(view: View, values: Mapping[str, Any]) -> Json:
    """The state of a modal: `values` are by action_id, block_id or label, an option by its label or
    value. What is not named keeps its initial value; an input that must be filled in has to be.
    """
    state: Json = {}
    unknown = set(values)
    for number, block in enumerate(view.view.get("blocks", ())):
        if block["type"] != "input":
            continue
        element, block_id = block["element"], str(block.get("block_id", f"block-{number}"))
        names = {element.get("action_id"), block_id, block["label"]["text"]}
        found = [values[name] for name in values if name in names]
        unknown -= names
        given = chosen(element, found[0]) if found else initial(element)
        assert given or block.get("optional"), f"{block['label']['text']} must be filled in"
        held = {"type": element["type"], GIVEN[element["type"]]: given}
        state[block_id] = {str(element.get("action_id", "")): held}
    assert not unknown, f"the view has no {', '.join(sorted(unknown))}"
    return state


def chosen(element: Json, value: Any) -> Any:
    """What the state holds of a value that was given."""
    match GIVEN[element["type"]]:
        case "selected_option":
            return option_of(element, value)
        case "selected_options":
            return [option_of(element, each) for each in value]
        case _:
            return value


def option_of(element: Json, name: str) -> Json:
    """The option of that label or value."""
    for option in element["options"]:
        if name in {option["text"]["text"], option["value"]}:
            return {"text": option["text"], "value": option["value"]}
    raise AssertionError(f"{element.get('action_id')} has no option {name}")


def initial(element: Json) -> Any:
    """What stands in an element before anybody touches it."""
    empty: Any = [] if GIVEN[element["type"]] == "selected_options" else None
    begun = (value for key, value in element.items() if key.startswith("initial_"))
    return next(begun, empty)
