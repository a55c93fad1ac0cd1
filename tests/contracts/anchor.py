"""What every `Anchor` does, written once: a backend's test class gives the fixture `open_anchor`."""

from collections.abc import Callable

from multidb_chat.domain.audit import Anchor, Head
from tests.contracts import processes

OpenAnchor = Callable[[], Anchor]


async def advance_many(open_anchor: OpenAnchor, first: int) -> None:
    """Advance by threes."""
    anchor = open_anchor()
    processes.starting_line()
    for seq in range(first, 31, 3):
        await anchor.advance(Head(seq, f"mac {seq}", f"seal {seq}"))


class AnchorContract:
    """Give it a fixture `open_anchor`: a picklable function that opens the same anchor, which remembers nothing yet."""

    async def test_the_latest_head_is_remembered(self, open_anchor: OpenAnchor):
        assert await open_anchor().head() is None
        for seq, expected in ((2, 2), (1, 2), (2, 2), (5, 5), (4, 5)):
            await open_anchor().advance(Head(seq, f"mac {seq}", f"seal {seq}"))
            assert await open_anchor().head() == Head(expected, f"mac {expected}", f"seal {expected}")

    async def test_of_several_processes_the_latest_head_is_left(self, open_anchor: OpenAnchor):
        processes.race([processes.start(advance_many, open_anchor, first) for first in (1, 2, 3)])
        assert await open_anchor().head() == Head(30, "mac 30", "seal 30")
