"""Which partition messages lie in."""

from hypothesis import given
from hypothesis import strategies as st

from multidb_chat.adapters.scylla.buckets import bucket_of, current_bucket
from multidb_chat.domain.ids import new_id

IDS = st.text(max_size=8) | st.uuids(version=4).map(str) | st.builds(new_id) | st.text("0123456789abcdef", max_size=8)


@given(IDS, IDS)
def test_buckets_never_decrease_along_the_order_of_ids(one: str, other: str):
    lower, higher = sorted([one, other])
    assert bucket_of(lower) <= bucket_of(higher)


def test_what_is_written_now_is_in_the_current_bucket():
    before, made, after = current_bucket(), bucket_of(new_id()), current_bucket()
    assert before <= made <= after


def test_a_bucket_is_as_long_as_three_days():
    assert bucket_of("01a22900-0000-7000-8000-000000000000") == bucket_of("01a22fff-ffff-7fff-bfff-ffffffffffff")
    assert bucket_of("01a22fff-ffff-7fff-bfff-ffffffffffff") < bucket_of("01a23000-0000-7000-8000-000000000000")
    assert (0x01A2_3000_0000 - 0x01A2_2000_0000) / 86_400_000 == 2**28 / 86_400_000
