"""The knowledge base: support reads it, administrators change it; answers of others only where those rated them."""

from dataclasses import replace
from typing import Any

from multidb_chat.domain.accounts import Account
from multidb_chat.domain.conversations import Message
from multidb_chat.domain.ids import new_id
from multidb_chat.domain.turns import Answer, AnswerSentence
from multidb_chat.services.answering import codec
from multidb_chat.services.knowledge.exchange import Row as Imported
from tests.authorisation.world import DONE, World, for_staff

ROW = Imported("line 2", "Why tides?", "The moon.")


async def _entry(world: World) -> str:
    return (await world.app.curation.add(world.accounts["admin"], "Why ebb?", "The moon.")).id


async def _rated(world: World) -> str:
    """Store an answer of the owner's that the owner rated as good; return the id of the rating."""
    talk, (asked, said) = world.conversation, world.messages
    answer = Answer("How?", "How?", "So.", True, (AnswerSentence("So.", before=""),))
    question = replace(asked, id=new_id(), parent_id=None)
    message = Message(
        new_id(), talk.id, world.owner.id, "assistant", "So.", said.created_at, question.id, codec.dumps(answer)
    )
    await world.app.history.append_turn(world.owner, talk.id, question, message)
    return (await world.app.feedback.rate(world.owner, talk.id, message.id, 1)).id


async def _show(world: World, account: Account) -> Any:
    return await world.app.curation.show(account, await _entry(world))


async def _edit(world: World, account: Account) -> Any:
    return await world.app.curation.edit(account, await _entry(world), answer="The sun.")


async def _delete(world: World, account: Account) -> Any:
    return await world.app.curation.delete(account, await _entry(world))


async def _proposal(world: World, account: Account) -> Any:
    return await world.app.promotions.proposal(account, await _rated(world))


async def _promote(world: World, account: Account) -> Any:
    return await world.app.promotions.promote(account, await _rated(world))


ROWS = {
    "Curation.entries": for_staff(lambda world, account: world.app.curation.entries(account), support=DONE),
    "Curation.show": for_staff(_show, support=DONE),
    "Curation.statistics": for_staff(lambda world, account: world.app.curation.statistics(account), support=DONE),
    "Curation.add": for_staff(lambda world, account: world.app.curation.add(account, "Why tides?", "The moon.")),
    "Curation.add_promoted": for_staff(lambda world, account: world.app.curation.add_promoted(account, ROW, "m1")),
    "Curation.edit": for_staff(_edit),
    "Curation.delete": for_staff(_delete),
    "Curation.import_rows": for_staff(lambda world, account: world.app.curation.import_rows(account, [ROW])),
    "Curation.reindex": for_staff(lambda world, account: world.app.curation.reindex(account)),
    "Promotions.candidates": for_staff(lambda world, account: world.app.promotions.candidates(account)),
    "Promotions.proposal": for_staff(_proposal),
    "Promotions.promote": for_staff(_promote),
}
