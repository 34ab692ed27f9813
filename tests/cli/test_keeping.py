"""Former states, going back and compacting, as a person does it."""

from pathlib import Path

import pytest
from frontdoor import AGREEMENT, write_pdf


@pytest.fixture
def keeper(tmp_path: Path, agent_here):
    """The command line with a warehouse of its own, into which one agreement was read under all rules on one day, and
    under those for NDAs on the next, with a second agreement."""

    def call(command: str, *arguments: object, code: int = 0):
        done = agent_here(command, *arguments, "--warehouse", tmp_path / "warehouse")
        assert done.code == code, done.err
        return done

    inbox = tmp_path / "inbox"
    write_pdf(inbox / "quarry.pdf", AGREEMENT)
    call("run", inbox, "--date", "2026-11-02")
    write_pdf(inbox / "pebble.pdf", AGREEMENT.replace("Quarry Lane", "Pebble Creek"))
    call("run", inbox, "--date", "2026-11-03", "--playbook", "nda")
    return call


def flags(keeper, *more: str) -> list[dict]:
    sql = """SELECT file_name, count(rule_id) AS flags FROM documents LEFT JOIN flags USING (document_id)
        GROUP BY file_name ORDER BY file_name"""
    return keeper("sql", sql, "--format", "json", *more).rows


def test_going_back_and_on(keeper, tmp_path: Path):
    now, then = flags(keeper), flags(keeper, "--as-of", "2026-11-02")
    assert [row["file_name"] for row in now] == ["pebble.pdf", "quarry.pdf"]
    assert [row["file_name"] for row in then] == ["quarry.pdf"]
    assert "Pebble" not in keeper("query", "value_by_customer", "--as-of", "2026-11-02").out
    assert "Nothing was landed by 2026-11-01" in keeper("sql", "FROM runs", "--as-of", "2026-11-01", code=1).err
    keeper("rollback", "2026-11-02", "--by", "ada", "--reason", "the wrong rules")
    assert flags(keeper) == then and flags(keeper, "--as-of", "2026-11-03") == now, "it was taken back later"
    assert "Monday, 02 November 2026" in keeper("brief").out
    assert "files -> " in keeper("compact", "--keep-days", "0").out
    assert flags(keeper) == then
    assert keeper("run", tmp_path / "inbox", "--date", "2026-11-04").summary["documents"] == 1, "what was taken back"
    assert [row["file_name"] for row in flags(keeper)] == ["pebble.pdf", "quarry.pdf"]


def test_unknown_gates_are_told_before_anything_is_read(keeper, tmp_path: Path):
    settings = tmp_path / "home" / "contract-agent.toml"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text('waived_gates = ["totals"]\n')
    done = keeper("run", tmp_path / "inbox", code=1)
    assert "no gate totals" in done.err and "totals_agree" in done.err
