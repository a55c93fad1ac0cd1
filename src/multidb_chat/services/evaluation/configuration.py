"""Ways of searching that can be compared, as they are named: `words`, `both`, `both:vector=0.7@papers`."""

from typing import NamedTuple

from multidb_chat.domain.errors import InvalidInput
from multidb_chat.services.ranking import FUSED, Fusion

WAYS = {"both": FUSED, "words": Fusion(0.0, 0.0), "vectors": Fusion(1.0, 0.0)}
"""The program's own way; by words alone (BM25); by meaning alone (cosine)."""

_MOST = {"vector": 1.0, "feedback": 10.0, "rerank": 100.0, "rewrite": 1.0}


class Configuration(NamedTuple):
    """A way of searching, and the collection that is searched (empty: all that were asked for).

    `rerank`: so many of the best documents are put in order by the reranker in use. `rewrite`: so much other wordings
    of the question weigh beside it.
    """

    name: str
    fusion: Fusion
    collection: str
    rerank: int = 0
    rewrite: float = 0.0


def configuration(name: str) -> Configuration:
    """Return the configuration of a name: a way, changes of it (`:vector=0.7`, `:rerank=20`), and `@COLLECTION`.

    Raises `InvalidInput` for a name that means none.
    """
    way, _, collection = name.strip().partition("@")
    base, *changes = way.split(":")
    if base not in WAYS:
        raise InvalidInput(f"{name!r} is no configuration: it begins with {', '.join(WAYS)}")
    fusion, besides = WAYS[base], {"rerank": 0.0, "rewrite": 0.0}
    for change in changes:
        key, _, value = change.partition("=")
        number = _number(name, _known(name, key), value)
        if key in besides:
            besides[key] = number
        else:
            fusion = fusion._replace(**{key: number})
    return Configuration(name.strip(), fusion, collection, int(besides["rerank"]), besides["rewrite"])


def _known(name: str, key: str) -> str:
    if key not in _MOST:
        raise InvalidInput(f"{name!r}: {key!r} cannot be changed; what can: {', '.join(_MOST)}")
    return key


def _number(name: str, key: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= _MOST[key]:
        raise InvalidInput(f"{name!r}: {key} is a number from 0 to {_MOST[key]:g}")
    return number
