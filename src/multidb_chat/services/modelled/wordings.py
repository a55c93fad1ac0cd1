"""A language model that says a question in other words."""

import re
from collections.abc import Sequence

from multidb_chat.domain.language import Prompt, Said
from multidb_chat.domain.search import Match
from multidb_chat.domain.text import clean_line
from multidb_chat.services.modelled.paying import PaidModel
from multidb_chat.services.modelled.prompting import neutral

WORDINGS = 3
INSTRUCTIONS = f"""\
You help to search documents. Write the question below in {WORDINGS} other wordings, as a document that answers it would
put it: one a line, short, in the language of the question, and nothing else. Do not answer it."""

_LONGEST = 300  # characters of a wording; a longer line is an answer, not a question
_MARKER = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s*")


class ModelRewriter:
    """The `Rewriter` by a language model. It sees the question alone, so that no document can steer what is sought."""

    def __init__(self, model: PaidModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """What it is called."""
        return f"model {self._model.name}"

    async def others(self, question: str, found: Sequence[Match]) -> list[str]:
        """Return up to three other wordings. Raises like `PaidModel.said`."""
        prompt = Prompt(INSTRUCTIONS, (Said("user", f"<question>\n{neutral(question)}\n</question>"),), 48 * WORDINGS)
        said = await self._model.said(prompt)
        lines = [clean_line(_MARKER.sub("", line)) for line in said.splitlines()]
        good = [line for line in lines if 0 < len(line) <= _LONGEST and line.casefold() != question.casefold()]
        return list(dict.fromkeys(good))[:WORDINGS]
