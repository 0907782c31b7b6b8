"""Ids leave texts, JSON and packed bytes; nothing else changes."""

from __future__ import annotations

import json

import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_reach.engine.catalog.erasures import token
from smart_reach.engine.privacy.scrub import Scrubber, distinctive

ID = "cus_000002"
GONE = token(ID)
WORDS = st.text(alphabet="abc 019_-.\"'\\\n{}[]:,ü€", max_size=30)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**31), 2**31)
    | st.floats(allow_nan=False)
    | WORDS
    | st.just(ID),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.just(ID), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (ID, GONE),
        (f"{ID}.", f"{GONE}."),
        (f"msg_{ID}_3", f"msg_{GONE}_3"),
        (f"{ID}1", f"{ID}1"),
        (f"x{ID}", f"x{ID}"),
        (f"({ID},{ID})", f"({GONE},{GONE})"),
        (f'{{"a":"{ID}"}}', f'{{"a":"{GONE}"}}'),
    ],
)
def test_an_id_leaves_wherever_it_is_a_word(text, clean):
    assert Scrubber([ID]).text(text) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("17850", token("17850")),
        ('{"customer_id":"17850","amount":17850}', f'{{"customer_id":"{token("17850")}","amount":17850}}'),
        ("He paid 17850 EUR.", "He paid 17850 EUR."),
        ("117850", "117850"),
    ],
)
def test_a_bare_number_leaves_only_where_it_is_a_whole_text(text, clean):
    assert not distinctive("17850")
    assert Scrubber(["17850"]).text(text) == clean


def test_ids_of_others_are_protected():
    scrubber = Scrubber(["cus_000002"], protected=["cus_000002-b", "x-cus_000002"])
    assert scrubber.text("cus_000002-b x-cus_000002 cus_000002") == f"cus_000002-b x-cus_000002 {GONE}"


def test_other_texts_are_replaced_as_given():
    assert Scrubber([], others={"a" * 64: "b" * 64}).text(f"hash {'a' * 64}") == f"hash {'b' * 64}"
    assert Scrubber([], others={}).text("nothing") == "nothing"


@given(value=VALUES)
def test_json_is_the_same_but_for_the_id(value):
    clean = Scrubber([ID]).value(value)
    assert ID not in json.dumps(clean)
    assert clean == json.loads(json.dumps(value).replace(ID, GONE))


@given(value=VALUES)
def test_packed_bytes_are_the_same_but_for_the_id(value):
    options = ormsgpack.OPT_NON_STR_KEYS
    inner = ormsgpack.Ext(5, ormsgpack.packb([value, "args"], option=options))
    packed = ormsgpack.packb({"v": value, "e": [inner, b"\xff\x00"]}, option=options)
    clean = Scrubber([ID]).blob(packed)
    assert ID.encode() not in clean
    read = ormsgpack.unpackb(clean, ext_hook=lambda code, data: (code, data), option=options)
    assert read["v"] == Scrubber([ID]).value(value)
    assert ormsgpack.unpackb(read["e"][0][1], option=options) == [Scrubber([ID]).value(value), "args"]
    assert read["e"][1] == b"\xff\x00"


@given(head=st.binary(max_size=20), tail=st.binary(max_size=20))
def test_any_bytes_come_through(head, tail):
    scrubber = Scrubber([ID])
    clean = scrubber.blob(head + b" " + ID.encode() + b" " + tail)
    assert ID.encode() not in clean
    assert scrubber.blob(head) == head


def test_needles_are_every_spelling():
    assert Scrubber(['a"ü1234']).needles == ['a"ü1234', 'a\\"\\u00fc1234', 'a\\"ü1234']
