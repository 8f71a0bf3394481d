"""Blocks and a view of a bot that trains models, for the tests."""

from __future__ import annotations

BUTTON = {
    "type": "button",
    "action_id": "start",
    "text": {"type": "plain_text", "text": "Start"},
    "value": "ft-1",
}
OVERFLOW = {
    "type": "overflow",
    "action_id": "more",
    "options": [
        {"text": {"type": "plain_text", "text": "Cancel"}, "value": "cancel"},
        {"text": {"type": "plain_text", "text": "Chart"}, "value": "chart"},
    ],
}
FEEDBACK = {
    "type": "context_actions",
    "elements": [
        {
            "type": "feedback_buttons",
            "action_id": "feedback",
            "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "1"},
            "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "-1"},
        }
    ],
}
MODEL = {
    "type": "input",
    "block_id": "model",
    "label": {"type": "plain_text", "text": "Model"},
    "element": {
        "type": "static_select",
        "action_id": "model",
        "options": [{"text": {"type": "plain_text", "text": "Small"}, "value": "gpt-4o-mini"}],
    },
}
EPOCHS = {
    "type": "input",
    "block_id": "epochs",
    "label": {"type": "plain_text", "text": "Epochs"},
    "element": {"type": "plain_text_input", "action_id": "epochs", "initial_value": "3"},
}
MODAL = {
    "type": "modal",
    "callback_id": "start-job",
    "title": {"type": "plain_text", "text": "Start a job"},
    "submit": {"type": "plain_text", "text": "Start"},
    "private_metadata": "data.jsonl",
    "notify_on_close": True,
    "blocks": [MODEL, EPOCHS],
}
