"""Tokens of models: everybody's own. A turn does not fail because of them, so neither does anything here."""

from multidb_chat.domain.turns import ModelUse
from multidb_chat.services.answering.extractive import Extractive
from multidb_chat.services.modelled.metering import Meter
from tests.authorisation.world import BLIND, World, own


def _meter(world: World) -> Meter:
    return Meter(world.app.plans, Extractive())


ROWS = {
    "Meter.refusal": own(lambda world, account: _meter(world).refusal(account), disabled=BLIND),
    "Meter.count": own(lambda world, account: _meter(world).count(account, "one", ModelUse("m", 1, 1)), disabled=BLIND),
}
