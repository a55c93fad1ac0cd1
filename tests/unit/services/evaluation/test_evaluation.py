"""Judged queries: what is read, what is measured, and whether a difference is more than chance."""

from pathlib import Path

import pytest

from multidb_chat.domain.errors import InvalidInput
from multidb_chat.services.evaluation.configuration import configuration
from multidb_chat.services.evaluation.judgements import judgements_in, queries_in
from multidb_chat.services.evaluation.measures import measured
from multidb_chat.services.evaluation.significance import randomisation
from multidb_chat.services.ranking import FUSED, Fusion


def test_queries_are_read_as_json_lines_and_with_tabs(tmp_path: Path) -> None:
    file = tmp_path / "queries"
    file.write_text('{"id": 1, "text": "wind"}\n\nq2\tsails and wind\n', encoding="utf-8")
    assert queries_in(file) == {"1": "wind", "q2": "sails and wind"}


def test_judgements_are_read_as_trec_eval_writes_them_and_as_tables_with_a_head(tmp_path: Path) -> None:
    file = tmp_path / "qrels"
    file.write_text("q1 0 a 2\nq1 0 b 0\nq2 0 a -1\n", encoding="utf-8")
    assert judgements_in(file) == {"q1": {"a": 2, "b": 0}, "q2": {"a": 0}}
    file.write_text("query-id\tcorpus-id\tscore\nq1\ta\t1\n", encoding="utf-8")
    assert judgements_in(file) == {"q1": {"a": 1}}


@pytest.mark.parametrize(
    ("content", "wrong"),
    [("q1 0 a 1\nq1 a", "line 2: expected"), ("q1 0 a 1\nq1 0 a x", "line 2: 'x' is not"), ("\n", "no judgement")],
)
def test_broken_judgements_are_told_with_their_line(tmp_path: Path, content: str, wrong: str) -> None:
    file = tmp_path / "qrels"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInput, match=wrong):
        judgements_in(file)


@pytest.mark.parametrize(
    ("content", "wrong"),
    [("a\tb\nnothing", "line 2: expected"), ("a\tb\na\tc", "line 2: there is a query 'a'"), ("", "no query")],
)
def test_broken_queries_are_told_with_their_line(tmp_path: Path, content: str, wrong: str) -> None:
    file = tmp_path / "queries"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInput, match=wrong):
        queries_in(file)
    with pytest.raises(InvalidInput, match="cannot be read"):
        queries_in(tmp_path / "none")


def test_a_perfect_ranking_is_worth_1_and_one_without_anything_relevant_0() -> None:
    relevance = {"a": 2, "b": 1, "c": 0}
    assert measured(["a", "b", "c"], relevance) == (1.0, 1.0, 1.0)
    assert measured(["c", "d"], relevance) == (0.0, 0.0, 0.0)


def test_the_measures_are_those_of_trec_eval() -> None:
    # 1/log2(3) + 2/log2(4) over 2 + 1/log2(3), by hand; the first relevant one is the second.
    found = measured(["c", "b", "a"], {"a": 2, "b": 1, "d": 0})
    assert found.ndcg == pytest.approx((1 / 1.5849625 + 1) / (2 + 1 / 1.5849625))
    assert (found.recall, found.mrr) == (1.0, 0.5)


def test_what_lies_beyond_the_tenth_place_does_not_count_for_ndcg() -> None:
    found = measured([*map(str, range(10)), "a"], {"a": 1})
    assert (found.ndcg, found.recall) == (0.0, 1.0)
    assert found.mrr == pytest.approx(1 / 11)


def test_equal_values_are_no_difference_and_a_constant_gain_is_one() -> None:
    values = [0.1 * place for place in range(20)]
    assert randomisation(values, values) == 1.0
    assert randomisation(values, [one + 0.2 for one in values]) < 0.001


def test_p_is_the_exact_one_where_all_permutations_are_known() -> None:
    # Of 2 x 2 x 2 signs two are as large as the observed ones: all plus and all minus.
    assert randomisation([0.0, 0.0, 0.0], [1.0, 2.0, 3.0]) == pytest.approx(0.25, abs=0.02)
    assert randomisation([0.0, 0.0], [1.0, 2.0]) == randomisation([0.0, 0.0], [1.0, 2.0])


def test_a_configuration_is_a_way_with_changes_in_a_collection() -> None:
    assert configuration("both") == ("both", FUSED, "", 0, 0.0)
    assert configuration(" words@papers ") == ("words@papers", Fusion(0.0, 0.0), "papers", 0, 0.0)
    assert configuration("both:vector=0.7:feedback=0").fusion == Fusion(0.7, 0.0)


@pytest.mark.parametrize("name", ["", "word", "both:depth=3", "both:vector=2", "both:vector=x", "both:feedback"])
def test_what_means_no_configuration_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        configuration(name)


def test_a_configuration_may_rerank_its_best() -> None:
    assert configuration("both:rerank=20@papers") == ("both:rerank=20@papers", FUSED, "papers", 20, 0.0)
    assert configuration("words:rerank=5:feedback=0").fusion == Fusion(0.0, 0.0)
    assert configuration("both:rewrite=0.35").rewrite == 0.35
    with pytest.raises(InvalidInput, match="rerank is a number from 0 to 100"):
        configuration("both:rerank=101")
