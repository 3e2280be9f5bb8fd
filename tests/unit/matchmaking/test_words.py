"""Text becomes the words people search by."""

import pytest
from matchmaking.matching import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("牛奶化验", ["牛奶", "化验"]),
        ("我们公司需要服务", []),
        ("呼和浩特市赛罕区的包装", ["包装"]),
        ("ISO9001认证", ["iso9001", "iso", "9001", "认证"]),
        ("ＩＳＯ　认证", ["iso", "认证"]),
        ("ᠬᠥᠬᠡᠬᠣᠲᠠ ᠬᠣᠲᠠ", ["ᠬᠥᠬᠡᠬᠣᠲᠠ", "ᠬᠣᠲᠠ"]),
        ("😀👍", []),
        ("100万元", []),
        ("", []),
    ],
)
def test_words_of_a_text(text, expected):
    assert words.of(text) == expected


def test_a_long_text_is_searched_by_its_strongest_words():
    sought = words.sought("牛奶化验 " * 50 + " ".join(f"word{n}" for n in range(500)))
    assert len(sought) == words.STRONGEST
    assert {"牛奶", "化验"} <= set(sought)


def test_a_category_brings_its_everyday_words():
    assert {"化验", "检测"} <= set(words.of_category("technology_quality.testing"))
    assert words.of_category("no.such") == ()
