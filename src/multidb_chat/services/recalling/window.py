"""What of a branch a language model gets within a budget of tokens, and what of it is to be summed up."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from multidb_chat.domain.conversations import Message
from multidb_chat.domain.text import clean
from multidb_chat.domain.turns import Recalled, Spoken
from multidb_chat.services.answering.codec import answer_in
from multidb_chat.services.modelled.estimating import TOKEN_BYTES, tokens
from multidb_chat.services.recalling.summary import Summary, summary_in

PAGE = 40
"""So many of the latest messages are looked at: a dozen turns, their summary, and some that were asked again."""
MOST_TURNS = 12
"""So many turns are kept in their words at the most, so that a summary is never too far back to be seen."""
SUMMARY_SHARE = 3
"""A third of the budget is for the summary."""
_AT_ONCE = 8  # turns that one summary takes in
_FULL = 3 / 4  # of the room for turns: from here on the older ones are summed up, before they have to be left out
_MARKS = re.compile(r"\s*\[(?:\d+|\?)\]")


@dataclass(frozen=True, slots=True)
class Window:
    """What is recalled of a branch. `used` of `budget` are tokens, by estimate.

    `turns` are those in their own words and `left_out` older ones that there is no room for, and that no summary
    holds yet; each with the id of its last message, oldest first.
    """

    budget: int
    summary: Summary | None
    turns: tuple[tuple[Spoken, str], ...]
    left_out: tuple[tuple[Spoken, str], ...] = ()

    @property
    def used(self) -> int:
        """The tokens of all that a model gets."""
        return tokens(self.recalled.summary) + sum(map(_cost, self.recalled.turns))

    @property
    def recalled(self) -> Recalled:
        """What a model gets."""
        return Recalled(self.summary.text if self.summary else "", tuple(turn for turn, _ in self.turns))

    def to_sum_up(self) -> tuple[tuple[Spoken, str], ...]:
        """Return the turns that the next summary takes in: none while there is room for more."""
        room = room_for_turns(self.budget, self.summary)
        waiting = [*self.left_out, *self.turns]
        taken = sum(_cost(turn) for turn, _ in waiting)
        if not waiting or (taken <= room * _FULL and len(waiting) < MOST_TURNS):
            return ()
        # Down to the half, so that not every turn needs a new one; the latest turn stays in its words.
        kept, at = _cost(waiting[-1][0]), len(waiting) - 1
        while at > 0 and kept + _cost(waiting[at - 1][0]) <= room / 2 and len(waiting) - at < MOST_TURNS // 2:
            at -= 1
            kept += _cost(waiting[at][0])
        return tuple(waiting[: min(at, _AT_ONCE)])


def window(branch: Sequence[Message], around: Sequence[Message], budget: int) -> Window:
    """Return what is recalled of a branch, oldest message first; `around` are messages that may hold its summary."""
    summary = _summary(branch, around)
    ids = [message.id for message in branch]
    rest = branch[ids.index(summary.until) + 1 :] if summary else branch
    turns = _turns(rest, budget)
    room = room_for_turns(budget, summary)
    at, taken = len(turns), 0
    while at > 0 and len(turns) - at < MOST_TURNS and taken + _cost(turns[at - 1][0]) <= room:
        at -= 1
        taken += _cost(turns[at][0])
    return Window(budget, summary, tuple(turns[at:]), tuple(turns[:at]))


def room_for_turns(budget: int, summary: Summary | None) -> int:
    """Return the tokens that a summary leaves for turns; two thirds at least."""
    most = budget // SUMMARY_SHARE
    return budget - min(most, tokens(summary.text) if summary else 0)


def _summary(branch: Sequence[Message], around: Sequence[Message]) -> Summary | None:
    """Return the summary that reaches farthest along the branch, of several the one made last."""
    places = {message.id: at for at, message in enumerate(branch)}
    found = [(places[one.until], message.id, one) for message in around
             if (one := summary_in(message)) is not None and one.until in places]  # fmt: skip
    return max(found)[2] if found else None


def _turns(messages: Sequence[Message], budget: int) -> list[tuple[Spoken, str]]:
    """Return questions with what was said to them, each cut to a share of the budget that leaves room for others."""
    starts = [at for at, message in enumerate(messages) if message.role == "user"]
    most = budget * TOKEN_BYTES // 6
    turns = []
    for begin, end in pairwise([*starts, len(messages)]):
        said = " ".join(map(_told, messages[begin + 1 : end]))
        turns.append((Spoken(_cut(clean(messages[begin].body), most), _cut(said, most)), messages[end - 1].id))
    return turns


def _told(message: Message) -> str:
    """Return what an answer says, without marks, and without what no passage supported: it would be said again."""
    answer = answer_in(message)
    held = [one.text for one in answer.sentences if one.supported] if answer is not None else []
    return " ".join(held) or _MARKS.sub("", clean(message.body))


def _cut(text: str, most: int) -> str:
    """Return the text on one line, cut behind a word where it is longer than so many bytes."""
    line = " ".join(text.split())
    encoded = line.encode("utf-8", "replace")
    if len(encoded) <= most:
        return line
    cut = encoded[:most].decode("utf-8", "ignore")
    return f"{cut.rpartition(' ')[0] or cut} ..."


def _cost(turn: Spoken) -> int:
    return tokens(turn.asked) + tokens(turn.said)
