"""How much of a need a document says, and what it says of it."""

import json

import numpy as np
import pytest
from common.contracts.matches import Matched
from hypothesis import given
from hypothesis import strategies as st
from matchmaking.matching import lexical, lexicon, weights, words
from matchmaking.matching.index import Index
from matchmaking.matching.retrieval import EVERYWHERE, Document, Need, Scope
from reference import categories

TESTING = "technology_quality.testing"
texts = st.text(
    st.sampled_from("牛奶化验检测蛋白质菌落总数贷款抵押没有周转不开abcISO9001 ，。…\n😀ᠮᠣᠩᠭᠣᠯß"), max_size=60
)


def sought(text):
    return lexical.sought(text, lambda word: 1.0)


def said(text, *documents):
    return lexical.relevance(sought(text), [lexical.read(one).packed for one in documents])


def evidence(text, document):
    return lexical.evidence(sought(text), lexical.read(document).packed)


def words_of(answers):
    return [one.said for one in answers]


def test_who_says_more_of_a_need_is_more_relevant():
    found = said(
        "牛奶 蛋白质 菌落",
        Document("检测", "牛奶 蛋白质 菌落"), Document("检测", "牛奶 蛋白质"), Document("水泥", "沙石"),
    )  # fmt: skip
    assert found[0] > found[1] > found[2] == 0


def test_a_title_says_it_louder_than_a_long_text():
    long = "，".join(["土壤", "煤质", "钢材", "水泥"] * 60)
    titled, told, buried = said(
        "牛奶", Document("牛奶", "检测"), Document("检测", "牛奶"), Document("检测", f"{long}牛奶")
    )
    assert titled > told > buried > 0


@given(texts, texts, texts)
def test_relevance_is_a_share_and_hangs_on_the_two_texts_alone(need, title, body):
    one, other = Document(title, body, TESTING), Document("另一项", "煤质", None)
    alone, among = said(need, one), said(need, other, one, other)
    assert 0 <= alone[0] <= 1
    assert alone[0] == pytest.approx(among[1], abs=1e-12)


@given(texts, texts)
def test_evidence_names_words_of_the_need_with_a_field_and_fits_the_contract(need, body):
    document = Document(body[:20] or "x", body, TESTING)
    found = evidence(need, document)
    assert len({one.said for one in found}) == len(found)
    for one in found:
        Matched.model_validate({"word": one.said, "field": one.field})
    if found:
        assert said(need, document)[0] > 0


def test_evidence_is_weightiest_first_and_leaves_out_parts_of_longer_words():
    found = [one.said for one in evidence("想把牛肉干卖到网上", Document("牛肉干网上销售", "牛肉"))]
    assert "牛肉干" in found and "牛肉" not in found


def test_a_category_answers_by_its_everyday_words():
    assert ("化验", "category", "化验") in evidence("牛奶化验", Document("机构", "牛奶", TESTING))
    assert "化验" not in words_of(evidence("牛奶化验", Document("机构", "牛奶", "gone.away")))


def test_what_owners_say_finds_what_is_offered_for_it():
    loan = Document("小微企业流动资金贷款", "随借随还", "financing.loan_matching")
    assert said("资金周转不开", loan)[0] > 0.3
    shown = {one.said: one.by for one in evidence("周转不开了", loan)}
    assert shown["周转不开"] == "流动资金", "in the owner's words, by the bank's"
    assert sought("资金周转不开").categories.keys() == {"financing.loan_matching"}
    assert "流动资金" in sought("资金周转不开").spoken


def test_an_expression_bridges_a_gap_but_not_a_long_one():
    def met(text):
        return {said for one in lexicon.met(text) for said in [one.said] if "…" in said}

    assert "没…抵押" in met("我们没什么抵押")
    assert "没…抵押" not in met("没" + "的" * lexicon.GAP_CHARACTERS + "的抵押")


def test_latin_expressions_are_met_as_whole_words_in_any_case():
    def met(text):
        return {one.said for one in lexicon.met(text)}

    assert "bank loan" in met("We need a Bank Loan!") and "bank loan" not in met("riverbank loans")
    assert "bank loan" in met("ＢＡＮＫ　ＬＯＡＮ")


def test_every_group_of_the_lexicon_can_be_met_shown_and_found():
    for group in lexicon.groups():
        assert group.say and group.mean
        if group.category is not None:
            assert categories.get(group.category)
        for said_ in group.say:
            assert len(said_) <= 50 and said_.strip("…") == said_
            assert group in [one.group for one in lexicon.met(said_.replace("…", "了"))], said_


def test_the_data_files_say_their_version():
    for name, version in (("lexicon.json", lexicon.version()), ("words.json", words.version())):
        assert json.loads(weights.data(name))["version"] == version != ""


def test_only_the_beginning_of_a_long_document_is_read():
    long = Document("检测", "煤" * lexical.BODY_CHARACTERS + "牛奶")
    assert said("牛奶", long)[0] == 0


def test_nothing_said_is_nothing_found():
    assert said("，。！", Document("检测", "牛奶"))[0] == 0
    assert said("牛奶", Document("，", "。"))[0] == 0
    assert lexical.relevance(sought("牛奶"), []).shape == (0,)
    assert evidence("", Document("检测", "牛奶")) == []


def filled():
    index = Index()
    index.put("a", Document("生鲜乳检测", "牛奶蛋白质", TESTING))
    index.put("b", Document("牛奶包装", "包装设计", "technology_quality.industrial_design"))
    index.put("c", Document("煤质化验", "灰分", TESTING))
    return index


def found(index, text, limit=10, scope=EVERYWHERE):
    return [hit.key for hit in index.search(Need(index.sought(text)), limit, scope)]


def test_an_index_finds_what_says_it_within_a_scope():
    index = filled()
    assert set(found(index, "牛奶")) == {"a", "b"}
    assert found(index, "牛奶", scope=Scope({TESTING})) == ["a"]
    assert found(index, "牛奶", scope=Scope({"legal"})) == []
    assert len(found(index, "牛奶 化验", limit=1)) == 1


def test_a_search_judges_as_a_judgement_alone_does():
    index = filled()
    need = Need(index.sought("牛奶蛋白质化验"))
    by_search = {hit.key: hit for hit in index.search(need, 10)}
    for key, hit in by_search.items():
        assert index.judge(need, [key, "not/here"]) == [hit]
        assert hit.semantic is None and hit.topical == 0.0


def test_what_is_put_twice_is_there_once_and_what_is_removed_is_gone():
    index = filled()
    index.put("a", Document("煤质", "硫分"))
    assert index.count == 3 and found(index, "牛奶") == ["b"]
    index.remove("a")
    index.remove("a")
    index.remove("never")
    assert index.count == 2 and "a" not in index and "a" not in found(index, "煤质")
    assert index.evidence(index.sought("煤质"), "a") == []


def test_what_a_word_counts_hangs_on_what_is_held_not_on_what_was():
    plain, other = filled(), filled()
    for number in range(30):
        other.put(f"x{number}", Document("牛奶", "牛奶 蛋白质"))
        other.put("a", Document("牛奶", f"第{number}版"))
        other.commit()
        other.remove(f"x{number}")
    other.put("a", Document("生鲜乳检测", "牛奶蛋白质", TESTING))
    assert plain.sought("牛奶蛋白质化验") == other.sought("牛奶蛋白质化验")


def test_what_was_sought_can_be_sought_again_as_it_was_then():
    index = filled()
    then = index.sought("牛奶蛋白质化验")
    for number in range(30):
        index.put(f"x{number}", Document("牛奶", "牛奶"))
    assert index.sought("牛奶蛋白质化验") != then
    assert index.sought_as("牛奶蛋白质化验", then.telling) == then


@pytest.mark.parametrize("word", ["检测", "羊绒", "zzz", "的"])
def test_telling_words_are_rare_ones(word):
    assert 0 < words.share(word) <= 0.5
    assert np.isfinite(Index().sought(word).full)
