import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import credit_code
from reference.credit_code import ALPHABET, BadCreditCode

REAL = "91350100M000100Y43"  # the example printed in GB 32100-2015
firsts = st.text(ALPHABET, min_size=17, max_size=17)


def test_the_code_of_the_standard_passes():
    credit_code.check(REAL)


@pytest.mark.parametrize("written", [REAL.lower(), f" {REAL}\n", "９１３５０１００Ｍ０００１００Ｙ４３"])
def test_case_width_and_blanks_do_not_matter(written):
    credit_code.check(written)
    assert credit_code.normalise(written) == REAL


@given(firsts)
def test_a_completed_code_always_passes(first17):
    credit_code.check(credit_code.complete(first17))


@given(firsts, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_any_single_changed_character_is_noticed(first17, place, sign):
    code = credit_code.complete(first17)
    changed = code[:place] + sign + code[place + 1 :]
    if changed == code:
        return
    with pytest.raises(BadCreditCode) as caught:
        credit_code.check(changed)
    assert caught.value.kind == "check_digit"
    credit_code.check(changed[:17] + str(caught.value.expected))


@given(firsts, st.integers(0, 16))
def test_two_swapped_neighbours_are_noticed(first17, place):
    code = credit_code.complete(first17)
    a, b = code[place], code[place + 1]
    if a == b:
        return
    swapped = code[:place] + b + a + code[place + 2 :]
    with pytest.raises(BadCreditCode):
        credit_code.check(swapped)


@pytest.mark.parametrize("code", ["", "9", REAL[:17], REAL + "0"])
def test_a_wrong_length_says_so(code):
    with pytest.raises(BadCreditCode) as caught:
        credit_code.check(code)
    assert caught.value.kind == "length"


@pytest.mark.parametrize("sign", [*"IOSVZ", "-", "中"])
@pytest.mark.parametrize("place", [0, 8, 17])
def test_a_strange_character_says_so(sign, place):
    with pytest.raises(BadCreditCode) as caught:
        credit_code.check(REAL[:place] + sign + REAL[place + 1 :])
    assert caught.value.kind == "alphabet"
    assert sign in str(caught.value)


def test_the_expected_digit_is_told():
    with pytest.raises(BadCreditCode) as caught:
        credit_code.check(REAL[:-1] + "4")
    assert (caught.value.kind, caught.value.expected) == ("check_digit", "3")


@given(st.text(max_size=40))
def test_any_text_is_answered_never_crashed_on(text):
    try:
        credit_code.check(text)
    except BadCreditCode as bad:
        assert bad.kind in ("length", "alphabet", "check_digit")
