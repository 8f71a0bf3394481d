"""One stop is one stop, however the bot hears of it."""

from adapters.slack.stops import APART, Heard, Stops
from bot.messages import ConversationId
from tests.clock import StoppedClock

HERE, THERE = ConversationId("slack", "C1", "1.0"), ConversationId("slack", "C1", "2.0")
EVENT, STREAM = Heard.EVENT, Heard.STREAM


def test_the_second_word_about_a_stop_is_not_new() -> None:
    for first, second in ((EVENT, STREAM), (STREAM, EVENT)):
        stops = Stops(StoppedClock())
        assert stops.is_new(HERE, first)
        assert not stops.is_new(HERE, second)
        assert stops.is_new(HERE, first), "that is the next answer"


def test_another_stop_of_the_same_kind_is_new() -> None:
    stops = Stops(StoppedClock())
    assert stops.is_new(HERE, EVENT)
    assert stops.is_new(HERE, EVENT)


def test_stops_elsewhere_are_their_own() -> None:
    stops = Stops(StoppedClock())
    assert stops.is_new(HERE, EVENT)
    assert stops.is_new(THERE, STREAM)


def test_what_comes_much_later_is_new() -> None:
    clock = StoppedClock()
    stops = Stops(clock)
    assert stops.is_new(HERE, EVENT)
    clock.advance(APART)
    assert stops.is_new(HERE, STREAM)
