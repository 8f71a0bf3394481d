"""tunebot's core: from a message to an answer. It knows no platform."""
