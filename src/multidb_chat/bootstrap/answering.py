"""Conversations, and the answers in them."""

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from multidb_chat.bootstrap.reading import Reading

if TYPE_CHECKING:
    from multidb_chat.domain.turns import Answerer
    from multidb_chat.services.branches import Branches
    from multidb_chat.services.chat import Chat
    from multidb_chat.services.drafts import Drafts
    from multidb_chat.services.feedback import FeedbackService
    from multidb_chat.services.history import History
    from multidb_chat.services.knowledge.base import KnowledgeBase
    from multidb_chat.services.knowledge.curation import Curation
    from multidb_chat.services.knowledge.promotion import Promotions
    from multidb_chat.services.narrowing import Narrowing
    from multidb_chat.services.pinned_facts import PinnedFacts
    from multidb_chat.services.recalling.reading import Recollection
    from multidb_chat.services.recalling.service import TalkMemory
    from multidb_chat.services.statistics import Statistics


class Answering(Reading):
    """What is said, and what is known of it."""

    @cached_property
    def history(self) -> "History":
        """Conversations of an account."""
        from multidb_chat.services.history import History

        kept = timedelta(days=self.settings.retention.deleted_days)
        return History(self.conversations, lambda: self.audit, kept=kept)

    @cached_property
    def branches(self) -> "Branches":
        """Branches of conversations, and copies of them."""
        from multidb_chat.services.branches import Branches

        return Branches(self.history, self.conversations)

    @cached_property
    def drafts(self) -> "Drafts":
        """What is being written and was not sent yet."""
        from multidb_chat.services.drafts import Drafts

        return Drafts(self.settings.paths.data / "drafts")

    @cached_property
    def narrowing(self) -> "Narrowing":
        """Which documents a question names."""
        from multidb_chat.services.narrowing import Narrowing

        return Narrowing(self.documents)

    @cached_property
    def feedback(self) -> "FeedbackService":
        """What people say of answers and of the program."""
        from multidb_chat.services.feedback import FeedbackService

        return FeedbackService(self.conversations)

    @cached_property
    def statistics(self) -> "Statistics":
        """Figures by day."""
        from multidb_chat.services.statistics import Statistics

        return Statistics(self.cache, self.conversations, self.library)

    @cached_property
    def knowledge(self) -> "KnowledgeBase":
        """Questions in, curated answers out."""
        from multidb_chat.services.knowledge.base import KnowledgeBase

        return KnowledgeBase(self.conversations, self.cache, self.question_vectors, self.small_embedder)

    @cached_property
    def curation(self) -> "Curation":
        """The entries of the knowledge base, for those who may change them."""
        from multidb_chat.services.knowledge.curation import Curation

        return Curation(self.conversations, self.cache, self.small_embedder, self.audit)

    @cached_property
    def promotions(self) -> "Promotions":
        """Well-rated answers that become entries."""
        from multidb_chat.services.knowledge.promotion import Promotions

        return Promotions(self.conversations, self.curation)

    @cached_property
    def answerer(self) -> "Answerer":
        """What makes answers from passages."""
        if self.settings.model.name == "none":
            return self.quoting
        from multidb_chat.services.modelled.answerer import Modelled

        model = self.settings.model
        assert self.language_model is not None
        small, most = self.small_embedder, model.most_tokens
        return Modelled(self.language_model, self.quoting, small, strict=model.strict, most_tokens=most)

    @cached_property
    def pinned_facts(self) -> "PinnedFacts":
        """What accounts want remembered."""
        from multidb_chat.services.pinned_facts import PinnedFacts

        return PinnedFacts(self.accounts)

    @cached_property
    def recollection(self) -> "Recollection":
        """What a language model gets of conversations, to be looked at."""
        from multidb_chat.services.recalling.reading import Recollection

        return Recollection(self.history, self.conversations, self.settings.model.memory_tokens)

    @cached_property
    def talk_memory(self) -> "TalkMemory | None":
        """What a language model gets of conversations; None where none writes."""
        model = self.settings.model
        if self.language_model is None or not model.memory_tokens:
            return None
        from multidb_chat.services.recalling.service import TalkMemory

        return TalkMemory(
            self.conversations, self.language_model, self.meter, model.memory_tokens, model.rewrite, sums_up=self.stays
        )

    @cached_property
    def chat(self) -> "Chat":
        """Questions in, cited answers out."""
        from multidb_chat.services.chat import Chat
        from multidb_chat.services.handbook import HANDBOOK_ID

        modelled = self.settings.model.name != "none"
        return Chat(
            self.plans,
            self.conversations,
            self.library,
            self.cache,
            self.retrieval,
            self.answerer,
            history=self.history,
            statistics=self.statistics,
            late=self._late,
            meter=self.meter if modelled else None,
            pinned=self.pinned_facts if modelled else None,
            memory=self.talk_memory,
            knowledge=self.knowledge,
            handbook_id=HANDBOOK_ID,
            order=self.way_of_finding,
            threshold=self.settings.search.threshold,
            limit=self.settings.search.limit,
            cache_ttl=self.settings.answers.cache_ttl,
        )
