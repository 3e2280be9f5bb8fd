"""What a digest is: the same for the same records in any order, another for any difference."""

from dataclasses import replace
from uuid import UUID, uuid4

from common import digests
from common.digests import EMPTY, Bucket, Digest, Record
from hypothesis import given
from hypothesis import strategies as st

records = st.builds(
    Record, st.sampled_from(digests.NOUNS), st.uuids(), st.integers(1, 9), st.integers(1, 2**63 - 1),
    st.text("0123456789abcdef", min_size=64, max_size=64),
)  # fmt: skip
sets = st.lists(records, max_size=30, unique_by=lambda one: one.key)


@given(sets, st.randoms())
def test_order_and_the_way_over_the_wire_change_nothing(those, random):
    digest = Digest.of(those)
    random.shuffle(those)
    assert Digest.of(those).hex == digest.hex
    assert Digest.parse(digest.texts) == digest
    assert digest.count == len(those)


@given(st.lists(records, min_size=1, max_size=30, unique_by=lambda one: one.key))
def test_any_difference_is_in_its_bucket_and_nowhere_else(those):
    one = those[0]
    for other in (
        replace(one, version=one.version - 1), replace(one, epoch=one.epoch + 1),
        replace(one, content=one.content[::-1] + "x"),
    ):  # fmt: skip
        assert Digest.of(those).differing(Digest.of([other, *those[1:]])) == (digests.bucket(one.id),)
    assert Digest.of(those).differing(Digest.of(those[1:])) == (digests.bucket(one.id),)


def test_a_digest_that_somebody_else_can_compute_too():
    """Fixed bytes: whoever implements docs/api.md has them as a check."""
    id = UUID("00000000-0000-7000-8000-0000000000ff")
    record = Record("offering", id, 1, 3, "ab" * 32)
    assert f"{digests.mark(record):016x}" == "b3e2959b72025c41"
    digest = Digest.of([record])
    assert digest.buckets[255] == Bucket(1, digests.mark(record), digests.mark(record))
    assert digest.buckets[:255] == (EMPTY,) * 255
    assert digest.hex == "2e116651ec9aad1d51fb94777c641833ac44d61b1d68b664270b1e95ae1f62c0"


def test_a_comparison_names_what_is_wrong():
    def record(version=1, content="a" * 64, epoch=1, id=None):
        return Record("offering", id or uuid4(), epoch, version, content)

    same, missing, stale, ahead, other, extra, buried = [record() for _ in range(7)]
    theirs = [same, missing, replace(stale, version=2), ahead, other, buried]
    held = [same, stale, replace(ahead, epoch=2), replace(other, content="b" * 64), extra]
    found = digests.compare(theirs, held, {buried.key: replace(buried, version=5)})
    assert {(one.kind, one.key[1]) for one in found} == {
        ("missing", missing.id), ("stale", stale.id), ("ahead", ahead.id), ("content", other.id),
        ("extra", extra.id), ("ahead", buried.id),
    }  # fmt: skip
    # A list has only the first digits of a content hash.
    assert digests.compare([replace(same, content="a" * 16)], [same]) == []
