"""People's names: something has to be seen of them."""

from __future__ import annotations

import unicodedata

import pytest
from pydantic import TypeAdapter, ValidationError

from api.bookings.asked import Name

NAME = TypeAdapter(Name)
IGNORABLE = [
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0x200B, 0x2010)),
    *(*range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x3164, *range(0xFE00, 0xFE10), 0xFEFF, 0xFFA0),
    *(*range(0xFFF0, 0xFFF9), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000)),
]
"""Unicode's Default_Ignorable_Code_Point, from DerivedCoreProperties."""
SPACES = [code for code in range(0x110000) if unicodedata.category(chr(code)) in {"Zs", "Zl", "Zp", "Cc"}]


def taken(name: str) -> bool:
    """Whether the API takes it."""
    try:
        NAME.validate_python(name)
    except ValidationError:
        return False
    return True


def test_nothing_is_to_be_seen() -> None:
    assert [hex(code) for code in (*SPACES, *IGNORABLE, 0x2800) if taken(chr(code))] == []
    assert not taken("\u3164\u2800 \ufe0f\U000e0100")


@pytest.mark.parametrize(
    "name",
    ["葛\U000e0100城 花子", "辻\ufe00", "\u200fדנה", "👩\u200d🚀", "홍\u3164길동", "O\u00adBrien", "\u00e9", "Ａ"],
)
def test_who_has_a_variant_or_an_invisible_sign_in_his_name_is_taken(name: str) -> None:
    assert taken(name)


def test_every_dialect_of_patterns_reads_the_documented_one() -> None:
    """JavaScript's refuses a range of characters beyond four digits, unless it is told that there are such."""
    assert NAME.json_schema()["pattern"].isascii()
