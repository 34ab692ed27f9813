"""Errors: they say what helps, and cross process borders whole."""

import pickle

import pytest

from schemas import errors

KINDS = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ContractAgentError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_crosses_process_borders(kind):
    error = kind("It broke.", help="Mend it.", code="broken")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (copy.message, copy.help, copy.code, str(copy)) == (
        "It broke.",
        "Mend it.",
        "broken",
        "It broke. Mend it.",
    )


def test_each_kind_has_a_code_of_its_own():
    codes = [kind.code for kind in KINDS]
    assert len(set(codes)) == len(codes) > 2
    assert errors.DocumentError("It broke.").code == "unreadable"


def test_a_message_can_always_be_written():
    error = errors.DocumentError("bad\udcff.pdf is empty.")
    assert error.message == str(error) == "bad\\udcff.pdf is empty."
    assert errors.printable("契約 é.pdf") == "契約 é.pdf"
