"""A server with search of its own: a MongoDB that has none, and before it one that answers what it lacks.

It speaks MongoDB's wire protocol (OP_MSG), passes on what it does not know, and answers `$listSearchIndexes`,
`createSearchIndexes`, `dropSearchIndex`, `$search` and `$vectorSearch` as the documentation says, over the passages
that are stored behind it. It refuses what the documentation does not have. It is no proof of how Atlas ranks.
"""

import asyncio
import contextlib
import math
import re
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import snowballstemmer
from bson import decode, encode
from pymongo import AsyncMongoClient

_OP_MSG = 2013
_OPERATORS = {"in": lambda given: {"$in": given["value"]}, "equals": lambda given: {"$eq": given["value"]}}
_PATHS = {"collection_id", "document_id", "document_kind", "metadata", "day"}
Record = dict[str, Any]


class Refused(Exception):
    """What the server would answer with a code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Mongot:
    """Stands before the server at `url` from `async with` on, as that with search."""

    def __init__(self, url: str) -> None:
        found = re.fullmatch(r"mongodb://([^:/]+):(\d+)/(\w+)", url)
        assert found, url
        self._address, self._database = (found[1], int(found[2])), found[3]
        self._client: AsyncMongoClient[Record] = AsyncMongoClient(url)
        self._chunks = self._client.get_default_database()["chunks"]
        self._stem = snowballstemmer.stemmer("english").stemWord
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.indexes: dict[str, Record] = {}
        self.queryable = True
        """Whether indexes are queryable as soon as they are made."""
        self.refusing: dict[str, int] = {}
        """The codes that commands are refused with, by name; questions by their first stage."""
        self.unreplicated = False
        """Whether writes are done, and not by most servers in time."""
        self.commands: list[str] = []
        """All that came, by name."""
        self.asked: list[Record] = []
        """The first stages of the questions."""

    @property
    def url(self) -> str:
        assert self._listener
        return f"mongodb://127.0.0.1:{self._listener.sockets[0].getsockname()[1]}/{self._database}"

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *raised: object) -> None:
        assert self._listener
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        behind_reader, behind = await asyncio.open_connection(*self._address)
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                message = await _message(reader)
                reply = await self._reply(message)
                if reply is None:
                    behind.write(message)
                    reply = await _message(behind_reader)
                writer.write(reply)
                await writer.drain()
        behind.close()
        writer.close()

    async def _reply(self, message: bytes) -> bytes | None:
        _, request, _, kind = struct.unpack_from("<iiii", message)
        if kind != _OP_MSG or message[20] != 0:
            return None
        command = decode(message[21 : 21 + struct.unpack_from("<i", message, 21)[0]])
        try:
            answer = await self._answer(command)
        except Refused as refused:
            answer = {"ok": 0.0, "code": refused.code, "errmsg": str(refused)}
        if answer is None:
            return None
        body = struct.pack("<I", 0) + b"\x00" + encode(answer)
        return struct.pack("<iiii", 16 + len(body), 0, request, _OP_MSG) + body

    async def _answer(self, command: Record) -> Record | None:
        name = next(iter(command))
        self.commands.append(name)
        if name in self.refusing:
            raise Refused(self.refusing[name], "it is refused")
        if self.unreplicated and name in ("insert", "update", "delete"):
            late = {"code": 64, "codeName": "WriteConcernFailed", "errmsg": "waiting for replication timed out"}
            return {"ok": 1.0, "n": 1, "writeConcernError": late}
        if name == "createSearchIndexes":
            for index in command["indexes"]:
                self._check(index)
                self.indexes[index["name"]] = index
            return {"ok": 1.0, "indexesCreated": [{"name": index["name"]} for index in command["indexes"]]}
        if name == "dropSearchIndex":
            self.indexes.pop(command["name"])
            return {"ok": 1.0}
        stage = (command.get("pipeline") or [{}])[0] if name == "aggregate" else {}
        found = await self._found(stage)
        if found is None:
            return None
        namespace = f"{self._database}.{command['aggregate']}"
        return {"ok": 1.0, "cursor": {"id": 0, "ns": namespace, "firstBatch": _shaped(found, command["pipeline"][1:])}}

    async def _found(self, stage: Record) -> list[Record] | None:
        if "$listSearchIndexes" in stage:
            return [{**index, "queryable": self.queryable, "status": "READY"} for index in self.indexes.values()]
        ways = {"$search": self._search, "$vectorSearch": self._similar}
        for name, way in ways.items():
            if name in stage:
                if name in self.refusing:
                    raise Refused(self.refusing[name], "it is refused")
                self.asked.append(stage)
                return await way(stage[name])
        return None

    def _check(self, index: Record) -> None:
        assert index["type"] in ("search", "vectorSearch")
        definition = index["definition"]
        if index["type"] == "search":
            fields = definition["mappings"]["fields"]
            assert {fields[path]["type"] for path in _PATHS} == {"token", "number"}
        else:
            vector, *filters = definition["fields"]
            assert vector.keys() == {"type", "path", "numDimensions", "similarity"}
            assert {one["path"] for one in filters} == _PATHS

    async def _similar(self, asked: Record) -> list[Record]:
        index = self.indexes[asked["index"]]["definition"]["fields"][0]
        question = np.frombuffer(asked["queryVector"][2:], "<f4")
        if len(question) != index["numDimensions"] or asked["limit"] > asked["numCandidates"] > 10_000:
            raise Refused(8, "the question is not of the index")
        found = await self._chunks.find(asked["filter"]).to_list()
        fitting = [one for one in found if len(one.get("vector", b"")) == 2 + 4 * len(question)]
        for one in fitting:
            one["score"] = float(np.frombuffer(one["vector"][2:], "<f4") @ question)
        return sorted(fitting, key=lambda one: -one["score"])[: asked["limit"]]

    async def _search(self, asked: Record) -> list[Record]:
        assert asked["index"] in self.indexes
        compound = asked["compound"]
        assert compound["filter"]
        conditions = [_condition(operator) for operator in compound["filter"]]
        found = await self._chunks.find({"$and": conditions}).to_list()
        everything = await self._chunks.find().to_list()
        clauses = [clause["text"] for clause in compound["should"]]
        scored = []
        for one in found:
            details = [
                detail for clause in clauses for path in _list(clause["path"])
                for detail in self._details(one, everything, path, clause)
            ]  # fmt: skip
            if details:
                total = sum(detail["value"] for detail in details)
                scored.append(
                    one | {"score": total, "details": {"value": total, "description": "sum of:", "details": details}}
                )
        return sorted(scored, key=lambda one: -one["score"])

    def _details(self, record: Record, everything: Sequence[Record], path: str, clause: Record) -> list[Record]:
        """Score a field by BM25, each word with the details that the documentation shows."""
        words, all_words = self._words(record, path), [self._words(one, path) for one in everything]
        average = sum(sum(one.values()) for one in all_words) / len(all_words) or 1.0
        boost = clause.get("score", {}).get("boost", {}).get("value", 1.0)
        found = []
        for term in self._terms(clause["query"]):
            if term not in words:
                continue
            n = sum(term in one for one in all_words)
            idf = math.log(1 + (len(all_words) - n + 0.5) / (n + 0.5))
            tf = words[term] / (words[term] + 1.2 * (0.25 + 0.75 * sum(words.values()) / average))
            parts = [
                _detail(idf, "idf, computed as log(1 + (N - n + 0.5) / (n + 0.5)) from:", [
                    _detail(n, "n, number of documents containing term"),
                    _detail(len(all_words), "N, total number of documents with field"),
                ]),
                _detail(tf, "tf, computed as freq / (freq + k1 * (1 - b + b * dl / avgdl)) from:"),
            ]  # fmt: skip
            score = _detail(boost * idf * tf, "score(freq=1.0), computed as boost * idf * tf from:", parts)
            found.append(_detail(boost * idf * tf, f"$type:string/{path}:{term} [BM25Similarity], result of:", [score]))
        return found

    def _words(self, record: Record, path: str) -> Counter[str]:
        return Counter(self._terms(" ".join(map(str, _list(record.get(path, ""))))))

    def _terms(self, text: str) -> list[str]:
        return [self._stem(word) for word in re.findall(r"\w+", text.lower()) if word not in ("of", "and", "the", "in")]


def _condition(operator: Mapping[str, Any]) -> Record:
    ((name, given),) = operator.items()
    assert given["path"] in _PATHS
    if name == "range":
        return {given["path"]: {f"${key}": value for key, value in given.items() if key in ("gte", "lte")}}
    return {given["path"]: _OPERATORS[name](given)}


def _shaped(found: Sequence[Record], stages: Sequence[Record]) -> list[Record]:
    """Limit and project as the stages behind say."""
    for stage in stages:
        if "$limit" in stage:
            found = found[: stage["$limit"]]
        else:
            found = [{name: one[name] for name in ("_id", *stage["$project"]) if name in one} for one in found]
    return list(found)


def _detail(value: float, description: str, details: Sequence[Record] = ()) -> Record:
    return {"value": float(value), "description": description, "details": list(details)}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(4)
    return head + await reader.readexactly(struct.unpack("<i", head)[0] - 4)
