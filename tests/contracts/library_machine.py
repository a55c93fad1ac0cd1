"""Any order of calls leaves a `Library` in the same state as plain dictionaries."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import get_args

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from multidb_chat.domain.errors import Conflict, NotFound
from multidb_chat.domain.library import Collection, DocumentContent, Holdings, Library, SourceRecord, Strategy
from tests.contracts.library import EPOCH, a_collection, a_content

COLLECTIONS = st.sampled_from(["papers", "essays", "notes"])
OWNERS = st.sampled_from(["ada", "bob"])
SOURCES = st.sampled_from(["/docs", "/docs/a", "/docs/b", "/docs%"])
NAMES = st.sampled_from(["1", "2", "3"])
TEXTS = st.text("ab \n🎉", max_size=12)


class LibraryMachine(RuleBasedStateMachine):
    """A backend gives `open` and `close`; `open` after `close` finds what was stored."""

    library: Library

    async def open(self) -> Library:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.collections: dict[str, Collection] = {}
        self.contents: dict[str, DocumentContent] = {}
        self.sources: dict[tuple[str, str], SourceRecord] = {}
        self.changed: dict[str, tuple[str, bool]] = {}  # in the order of the last change of each document
        self.last_seq = 0

    def does(self, call, *arguments, **named):
        return self.runner.run(call(*arguments, **named))

    def refuses(self, error: type[Exception], call, *arguments) -> None:
        try:
            self.does(call, *arguments)
        except error:
            return
        raise AssertionError(f"{call.__name__}{arguments} was not refused")

    def change(self, key: str, collection_id: str, removed: bool) -> None:
        self.changed.pop(key, None)
        self.changed[key] = (collection_id, removed)

    def forget(self, keys: Sequence[str]) -> None:
        for key in keys:
            content = self.contents.pop(key)
            self.change(key, content.document.collection_id, True)

    @initialize()
    def opens(self) -> None:
        self.library = self.does(self.open)

    @rule()
    def is_closed_and_opened_again(self) -> None:
        self.does(self.close)
        self.library = self.does(self.open)

    @rule(key=COLLECTIONS, owner=OWNERS, name=st.sampled_from(["Papers", "papers", "Ünï", "ünÏ"]), shared=st.booleans())
    def creates_a_collection(self, key: str, owner: str, name: str, shared: bool) -> None:
        made = a_collection(key, owner, shared, name)
        taken = {(one.owner_id, one.name.casefold()) for one in self.collections.values()}
        if key in self.collections or (owner, name.casefold()) in taken:
            self.refuses(Conflict, self.library.create_collection, made)
        else:
            self.does(self.library.create_collection, made)
            self.collections[key] = made

    @rule(key=COLLECTIONS, embedder=st.sampled_from(["mini", "stella"]))
    def claims_an_embedder(self, key: str, embedder: str) -> None:
        if key not in self.collections:
            self.refuses(NotFound, self.library.claim_embedder, key, embedder, 4)
            return
        if not self.collections[key].embedder:
            self.collections[key] = replace(self.collections[key], embedder=embedder, dimensions=4)
        assert self.does(self.library.claim_embedder, key, embedder, 4) == self.collections[key]

    @rule(
        key=COLLECTIONS,
        shared=st.none() | st.booleans(),
        name=st.none() | st.sampled_from(["Papers", "papers", "x"]),
        chunking=st.none() | st.sampled_from(get_args(Strategy)),
    )
    def describes_a_collection(
        self, key: str, shared: bool | None, name: str | None, chunking: Strategy | None
    ) -> None:
        def call(key: str):
            return self.library.describe_collection(key, shared=shared, name=name, chunking=chunking)

        found = self.collections.get(key)
        if found is None:
            self.refuses(NotFound, call, key)
            return
        changed = replace(
            found,
            shared=found.shared if shared is None else shared,
            name=found.name if name is None else name,
            chunking=found.chunking if chunking is None else chunking,
        )
        others = {(one.owner_id, one.name.casefold()) for one in self.collections.values() if one.id != key}
        if (changed.owner_id, changed.name.casefold()) in others:
            self.refuses(Conflict, call, key)
        else:
            assert self.does(call, key) == changed
            self.collections[key] = changed

    @rule(key=COLLECTIONS)
    def deletes_a_collection(self, key: str) -> None:
        inside = sorted(k for k, content in self.contents.items() if content.document.collection_id == key)
        assert self.does(self.library.delete_collection, key) is (self.collections.pop(key, None) is not None)
        self.forget(inside)
        self.sources = {place: record for place, record in self.sources.items() if place[0] != key}

    @rule(
        key=COLLECTIONS,
        batch=st.lists(st.tuples(SOURCES, NAMES, TEXTS, st.integers(1, 4)), max_size=5),
        raw=st.none() | st.binary(max_size=5),
        day=st.integers(0, 5),
    )
    def puts_documents(self, key: str, batch, raw: bytes | None, day: int) -> None:
        at = EPOCH + timedelta(days=day)
        contents = [
            a_content(name, text, collection=key, source=source, pieces=n, original=raw, added_at=at, updated_at=at)
            for source, name, text, n in batch
        ]
        if key not in self.collections and contents:
            self.refuses(NotFound, self.library.put_documents, contents)
            return
        self.does(self.library.put_documents, contents)
        for content in contents:
            document, before = content.document, self.contents.get(content.document.id)
            if before is not None:
                kept, revision = before.document.added_at, before.document.revision + 1
                document = replace(document, added_at=kept, revision=revision)
            self.contents[document.id] = replace(content, document=document)
        for changed in dict.fromkeys(content.document.id for content in contents):
            self.change(changed, key, False)

    @precondition(lambda self: self.contents)
    @rule(data=st.data())
    def removes_documents(self, data: st.DataObject) -> None:
        keys = data.draw(st.lists(st.sampled_from([*self.contents, "unknown"]), max_size=4))
        here = sorted({key for key in keys if key in self.contents})
        for key in here:
            document = self.contents[key].document
            self.sources.pop((document.collection_id, document.source), None)
        assert self.does(self.library.remove_documents, keys) == len(here)
        self.forget(here)

    @rule(key=COLLECTIONS, source=SOURCES, hashed=st.sampled_from(["x", "y"]))
    def completes_a_source(self, key: str, source: str, hashed: str) -> None:
        record = SourceRecord(key, source, hashed, 7, 1, EPOCH)
        if key in self.collections:
            self.does(self.library.put_source, record)
            self.sources[key, source] = record
        else:
            self.refuses(NotFound, self.library.put_source, record)

    @rule(key=COLLECTIONS, source=SOURCES)
    def removes_a_source(self, key: str, source: str) -> None:
        inside = sorted(
            k for k, c in self.contents.items() if (c.document.collection_id, c.document.source) == (key, source)
        )
        assert self.does(self.library.remove_source, key, source) == len(inside)
        self.sources.pop((key, source), None)
        self.forget(inside)

    @rule(prefix=st.sampled_from(["", "/docs", "/docs/", "/docs%"]), limit=st.integers(1, 4))
    def lists_by_prefix(self, prefix: str, limit: int) -> None:
        under = sorted(
            (c.document for c in self.contents.values() if c.document.source.startswith(prefix)), key=lambda d: d.id
        )
        everywhere = ["papers", "essays", "notes"]
        assert self.does(self.library.documents, everywhere, "", limit, prefix) == under[:limit]
        for key in everywhere:
            records = [self.sources[place] for place in sorted(self.sources) if place[0] == key]
            expected = [record for record in records if record.source.startswith(prefix)]
            assert self.does(self.library.sources, key, prefix) == expected

    @invariant()
    def the_documents_are_those_of_the_model(self) -> None:
        stored = [self.does(self.library.content, key) for key in self.changed]
        assert stored == [self.contents.get(key) for key in self.changed]
        found = self.does(self.library.indexable, list(self.changed))
        assert [(document, tuple(chunks)) for document, chunks in found] == [
            (self.contents[key].document, self.contents[key].chunks) for key in self.changed if key in self.contents
        ]

    @invariant()
    def an_owner_holds_what_is_in_its_collections(self) -> None:
        for owner in ("ada", "bob"):
            inside = [
                content.document.size_bytes
                for content in self.contents.values()
                if self.collections[content.document.collection_id].owner_id == owner
            ]
            assert self.does(self.library.holdings, owner) == Holdings(len(inside), sum(inside))

    @invariant()
    def the_collections_are_those_of_the_model(self) -> None:
        for owner in ("ada", "bob"):
            visible = [one for one in self.collections.values() if one.shared or one.owner_id == owner]
            found = self.does(self.library.collections, owner)
            assert found == sorted(visible, key=lambda one: (one.name.casefold(), one.id))

    @invariant()
    def the_changes_are_complete_and_in_order(self) -> None:
        changes = self.does(self.library.changes, 0)
        assert {c.document_id: (c.collection_id, c.removed) for c in changes} == self.changed
        numbers = [change.seq for change in changes]
        assert numbers == sorted(set(numbers))
        # Within one call the order is the store's choice; a follower only needs each call's changes behind the last.
        version = self.does(self.library.version)
        assert version == (numbers[-1] if numbers else 0)
        assert version >= self.last_seq
        newer = [change.document_id for change in changes if change.seq > self.last_seq]
        assert set(newer) == set(list(self.changed)[len(self.changed) - len(newer) :])
        self.last_seq = version
        versions = {key: max((c.seq for c in changes if c.collection_id == key), default=0) for key in ("papers", "no")}
        assert self.does(self.library.collection_versions, ["papers", "no"]) == versions

    def teardown(self) -> None:
        if hasattr(self, "library"):
            self.does(self.close)
        self.runner.close()
