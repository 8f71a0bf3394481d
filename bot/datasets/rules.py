"""The rules of chat, preference and reinforcement examples: facts/prepare-data.md, "Chat format",
and the schemas of OpenAI's specification (ChatCompletionRequest…Message,
FineTuneChatCompletionRequest…).
"""

from __future__ import annotations

from bot.datasets.faults import Rule
from bot.datasets.findings import Level, Remedy, Weight

LEAVE_OUT = Remedy("drop-broken", "Remove {examples} that cannot be trained from", Weight.NECESSARY)
CUT_END = Remedy(
    "cut-after-answer", "Cut what follows the last answer in {examples}", Weight.NECESSARY
)
UNWEIGH = Remedy("drop-weights", "Remove misplaced weights from {examples}", Weight.NECESSARY)
CUT_ANSWER = Remedy("cut-answer", "Cut the answer at the end of {examples}", Weight.NECESSARY)
TO_DEVELOPER = Remedy("to-developer", "Make system messages the developer's in {examples}")
LEAVE_OUT_SILENT = Remedy("drop-silent", "Remove {examples} with empty answers")
LEAVE_OUT_EVEN = Remedy("drop-identical", "Remove {examples} that prefer nothing")
STRIP_KEYS = Remedy("drop-keys", "Remove keys that mean nothing from {examples}")

# The example as a whole
NOT_AN_OBJECT = Rule("object", "there is no JSON object: write one on each line", remedy=LEAVE_OUT)
NO_MESSAGES = Rule(
    "messages", "there are no messages: a list of them is needed under `messages`", remedy=LEAVE_OUT
)
UNKNOWN_KEY = Rule("key", "there are keys that no provider knows", Level.NOTE, STRIP_KEYS)
DEPRECATED = Rule(
    "deprecated",
    "the older way to call functions is used; newer models want `tools` and `tool_calls`",
    Level.NOTE,
)

# A message
NO_MESSAGE = Rule("message", "a message is no object with `role` and `content`", remedy=LEAVE_OUT)
NO_ROLE = Rule("role", "a message has no role", remedy=LEAVE_OUT)
UNKNOWN_ROLE = Rule(
    "role-unknown",
    "a message has an unknown role; there are system, developer, user, assistant and tool",
    remedy=LEAVE_OUT,
)
NO_CONTENT = Rule(
    "content",
    "a message has no content; only one with `tool_calls` may do without",
    remedy=LEAVE_OUT,
)
WRONG_CONTENT = Rule(
    "content-kind",
    "a message's content is neither a text nor a list of parts that its role may have",
    remedy=LEAVE_OUT,
)
EMPTY_ANSWER = Rule(
    "answer-empty",
    "an answer is empty: the model learns to say nothing",
    Level.WARNING,
    LEAVE_OUT_SILENT,
)
EMPTY_CONTENT = Rule("content-empty", "a message is empty", Level.WARNING)
REFUSAL = Rule("refusal", "the assistant refuses: the model learns to refuse", Level.NOTE)
WRONG_NAME = Rule(
    "name",
    "a name is not 1 to 64 characters without spaces and without any of < | \\ / >",
    remedy=LEAVE_OUT,
)
WEIGHT_ELSEWHERE = Rule(
    "weight-role", "a message has a weight that is not the assistant's", remedy=UNWEIGH
)
WRONG_WEIGHT = Rule("weight", "a weight is neither 0 nor 1", remedy=LEAVE_OUT)

# The order of messages
NO_ANSWER = Rule("answer", "the assistant says nothing", remedy=LEAVE_OUT)
NOT_LAST = Rule("last", "the last message is not the assistant's", remedy=CUT_END)
TWO_ANSWERS = Rule(
    "answers-twice",
    'the assistant speaks twice in a row, which providers refuse as "invalid schema"',
    remedy=LEAVE_OUT,
)
ALL_UNTRAINED = Rule(
    "weight-zero", "all answers have the weight 0: there is nothing to learn", remedy=LEAVE_OUT
)

# Tools
WRONG_TOOLS = Rule(
    "tools",
    "`tools` or `functions` are not as providers want them: a list of at most 128 functions, each "
    "with a name of its own (1 to 64 of a-z, A-Z, 0-9, _ and -) and a schema of its parameters",
    remedy=LEAVE_OUT,
)
WRONG_PARALLEL = Rule(
    "parallel-tool-calls", "`parallel_tool_calls` is neither true nor false", remedy=LEAVE_OUT
)
PARALLEL_ALONE = Rule(
    "parallel-alone", "there is `parallel_tool_calls`, but there are no tools", Level.WARNING
)
WRONG_CALL = Rule(
    "call",
    "a call is not as providers want it: an id of its own, the type function, a name and the "
    "arguments as text",
    remedy=LEAVE_OUT,
)
WRONG_ARGUMENTS = Rule(
    "arguments",
    "the arguments of a call are not a JSON object: the model learns that",
    Level.WARNING,
)
UNDECLARED = Rule(
    "call-undeclared", "a function is called that is not among the tools", Level.WARNING
)
ORPHAN = Rule("tool", "a tool answers a call that nobody made", remedy=LEAVE_OUT)
UNANSWERED = Rule("call-unanswered", "a call is never answered by its tool", remedy=LEAVE_OUT)

# Preferences
NO_INPUT = Rule("input", "there is no `input`: an object with `messages`", remedy=LEAVE_OUT)
ANSWERED_INPUT = Rule(
    "input-last",
    "the input ends with the assistant: it must end with what the outputs answer",
    remedy=LEAVE_OUT,
)
WRONG_OUTPUT = Rule(
    "output",
    "`preferred_output` or `non_preferred_output` is not a list of one message of the assistant",
    remedy=LEAVE_OUT,
)
SAME_OUTPUT = Rule(
    "output-same",
    "both outputs are the same: there is nothing to prefer",
    Level.WARNING,
    LEAVE_OUT_EVEN,
)

# Reinforcement
NOTHING_ASKED = Rule("asked", "nothing is asked: there are answers only", remedy=LEAVE_OUT)
ANSWERED = Rule(
    "answered",
    "the last message is the assistant's, but here the model answers itself: what is right belongs "
    "into a field beside `messages`",
    remedy=CUT_ANSWER,
)
SYSTEM = Rule(
    "system",
    "there is a system message; the models that learn so take a developer's instead",
    Level.WARNING,
    TO_DEVELOPER,
)

# Conversion: what is left out of the other format
NOT_TEXT = Rule("convert-text", "prompt or completion is no text: it was left out", Level.WARNING)
MARK_INSIDE = Rule(
    "convert-marks",
    "a separator or stop stands inside what is said, so turns cannot be told apart: it was left "
    "out",
    Level.WARNING,
)
PREFERENCE = Rule(
    "convert-preference",
    "there are preferences, which no other format has: it was left out",
    Level.WARNING,
)
NO_ANSWER_FIELD = Rule(
    "convert-answer",
    "there is no text in a field `answer` that could be the assistant's: it was left out",
    Level.WARNING,
)
LAST_UNTRAINED = Rule(
    "convert-untrained",
    "the last answer has the weight 0, so it is none to be compared with: it was left out",
    Level.WARNING,
)
BROKEN = Rule(
    "convert-broken",
    "the chat is not valid; the checks of chat examples say why: it was left out",
    Level.WARNING,
)
TOOLS = Rule(
    "convert-tools", "tools are used, which completions do not have: it was left out", Level.WARNING
)
NOT_ONLY_TEXT = Rule(
    "convert-content",
    "there are pictures, files, sounds or refusals: it was left out",
    Level.WARNING,
)
NO_QUESTION = Rule("convert-question", "the assistant speaks first: it was left out", Level.WARNING)
LATE_INSTRUCTIONS = Rule(
    "convert-instructions",
    "instructions come after the first question: it was left out",
    Level.WARNING,
)

# Conversations
UNFINISHED = Rule(
    "spoken-unfinished", "an answer was left out with its question: it is not whole", Level.NOTE
)
WITH_FILES = Rule(
    "spoken-files",
    "an answer was left out with its question: it is about files, which a text does not have",
    Level.NOTE,
)
UNTRAINED = Rule(
    "spoken-untrained",
    "an answer that people do not like enough is there for what follows, with the weight 0",
    Level.NOTE,
)
NOTHING_LEFT = Rule("spoken-nothing", "there is nothing to learn from: it was left out", Level.NOTE)
