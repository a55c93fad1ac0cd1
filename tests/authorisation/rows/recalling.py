"""What models get of conversations: of one's own alone. Nothing of a turn fails because of a follow-up's wording."""

from multidb_chat.domain.turns import Recalled
from multidb_chat.services.answering.extractive import Extractive
from multidb_chat.services.modelled.metering import Meter
from multidb_chat.services.recalling.service import TalkMemory
from tests.authorisation.world import BLIND, Row, World, own


def _memory(world: World) -> TalkMemory:
    # No turn is recalled, so that the model is not asked.
    return TalkMemory(world.app.conversations, None, Meter(world.app.plans, Extractive()), 600, rewrites=True)  # type: ignore[arg-type]


ROWS = {
    "Recollection.of": Row(lambda world, account: world.app.recollection.of(account, world.conversation.id)),
    "TalkMemory.put": own(
        lambda world, account: _memory(world).put(account, "turn", "And then?", Recalled()), disabled=BLIND
    ),
}
