"""Long texts arrive whole, in messages that the platform takes."""

from hypothesis import given
from hypothesis import strategies as st

from bot.ports import Limits
from bot.segments import MEASURES, Segments, open_fence

pieces = st.lists(
    st.sampled_from(
        [
            "word ",
            "a much longer word",
            "\n",
            "\n\n",
            "```python\n",
            "```\n",
            "~~~~\n",
            "😀",
            "é",
            " ",
            "x" * 70,
            "- item\n",
            "`code`",
            "```",
            "    ",
            "|a|b|\n",
        ]
    )
    | st.text(max_size=8),
    max_size=60,
).map("".join)
limits = st.builds(
    lambda soft, more, unit: Limits(soft=soft, hard=soft + more, unit=unit),
    st.integers(60, 200),
    st.integers(10, 120),
    st.sampled_from(sorted(MEASURES)),
)

# The last quarter before `hard` holds a line of the code below.
roomy = limits.filter(lambda limits: limits.hard - limits.soft > 80)


def split(text: str, limits: Limits) -> list[str]:
    return Segments(limits).of(text)


@given(pieces, limits)
def test_every_segment_fits_and_none_is_blank(text: str, limits: Limits) -> None:
    segments = split(text, limits)
    assert all(MEASURES[limits.unit](segment) <= limits.hard for segment in segments)
    assert all(segment.strip() for segment in segments)


@given(pieces, limits, st.lists(st.integers(0, 1000), max_size=8))
def test_a_growing_text_is_cut_where_the_finished_one_is(
    text: str, limits: Limits, looks: list[int]
) -> None:
    growing = Segments(limits)
    for look in sorted(looks):
        seen = growing.of(text[:look])
        assert seen[:-1] == split(text, limits)[: max(len(seen) - 1, 0)]
    assert growing.of(text) == split(text, limits)


@given(pieces.filter(lambda text: "`" not in text and "~" not in text), limits)
def test_nothing_but_space_is_lost_without_code(text: str, limits: Limits) -> None:
    assert "".join("".join(split(text, limits)).split()) == "".join(text.split())


@given(st.lists(st.sampled_from(["line of code", "x = 1", ""]), min_size=1, max_size=40), roomy)
def test_code_blocks_are_closed_and_opened_again(lines: list[str], limits: Limits) -> None:
    text = "```python\n" + "\n".join(lines) + "\n```\n"
    segments = split(text, limits)
    assert all(segment.startswith("```python\n") for segment in segments if segment != "```")
    assert all(not open_fence(segment) for segment in segments)
    code = [line for segment in segments for line in segment.split("\n") if "```" not in line]
    assert [line for line in code if line] == [line for line in lines if line]


def test_a_paragraph_ends_a_segment_before_a_line_or_a_word_does() -> None:
    limits = Limits(soft=20, hard=100)
    first, second = "a line of the text\nand one more", "the next paragraph"
    assert split(f"{first}\n\n{second}", limits) == [first, second]


def test_without_a_limit_nothing_is_split() -> None:
    assert split("word " * 10_000, Limits()) == ["word " * 10_000]
