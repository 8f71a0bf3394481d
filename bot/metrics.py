"""What is counted and timed, for Prometheus; the HTTP adapter serves it."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

messages_in = Counter("tunebot_messages", "Messages received", ["adapter", "receipt"])
answers = Counter("tunebot_answers", "Answers, by how they ended", ["profile", "ending"])
first_token = Histogram(
    "tunebot_first_token_seconds", "From model request to first text", ["profile"], buckets=SECONDS
)
answer_time = Histogram(
    "tunebot_answer_seconds", "From model request to last text", ["profile"], buckets=SECONDS
)
model_errors = Counter("tunebot_model_errors", "Model calls that failed", ["provider", "error"])
model_retries = Counter("tunebot_model_retries", "Model calls tried again", ["provider"])
model_calls = Gauge("tunebot_model_calls", "Model calls running now")
tokens = Counter("tunebot_tokens", "Tokens used", ["profile", "kind"])
outbox_depth = Gauge("tunebot_outbox_depth", "Texts not delivered yet", ["adapter"])
delivery_retries = Counter("tunebot_delivery_retries", "Deliveries tried again", ["adapter"])
