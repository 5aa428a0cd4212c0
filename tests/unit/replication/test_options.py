"""START_REPLICATION as text. What wal2json makes of odd names is tried on a server in the integration tests."""

from __future__ import annotations

import pytest

from daemon.replication.options import pgoutput_options, start_command, wal2json_options


def test_the_command_names_slot_position_and_options() -> None:
    command = start_command("roomwire", 0x1_0000_00FF, {"proto_version": "1", "messages": "true"})
    expected = 'START_REPLICATION SLOT "roomwire" LOGICAL 1/FF ("proto_version" \'1\', "messages" \'true\')'
    assert command == expected


def test_quotes_are_doubled_and_backslashes_mean_nothing() -> None:
    command = start_command('a"b', 0, {"x": r"it's \n"})
    assert command == r"""START_REPLICATION SLOT "a""b" LOGICAL 0/0 ("x" 'it''s \n')"""


def test_a_zero_byte_is_refused() -> None:
    with pytest.raises(ValueError, match="zero byte"):
        start_command("a", 0, {"x": "\0"})


def test_publications_are_quoted_one_by_one() -> None:
    assert pgoutput_options(["one", 'Two, "2"'])["publication_names"] == '"one","Two, ""2"""'


def test_noise_is_listed_with_its_special_characters_escaped() -> None:
    options = wal2json_options([("booking_engine", "*"), ("public", r"a b,c.d'e\f*")], "roomwire")
    assert options["filter-tables"] == r"booking_engine.*,public.a\ b\,c\.d\'e\\f\*"
    assert options["add-msg-prefixes"] == "roomwire"


def test_without_noise_nothing_is_filtered() -> None:
    assert "filter-tables" not in wal2json_options([], "roomwire")


@pytest.mark.parametrize("prefix", ["", "a,b", "a b", "a\tb"])
def test_a_prefix_that_wal2json_cannot_list_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        wal2json_options([], prefix)
