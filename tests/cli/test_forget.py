"""`contract-agent forget`: nothing of a contract is left in any file, and what others need of it is made anew."""

import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from frontdoor import AGREEMENT, call_here, write_pdf

from extractors.engines.llm.ledger import Ledger, Sent
from extractors.engines.llm.outcomes import Reply, Usage
from warehouse.answers import work_out
from warehouse.words import index_words

AMENDMENT = """AMENDMENT NO. 1

This Amendment No. 1 amends the Master Subscription Agreement dated March 1, 2026 between Harbor Light Software, Inc.
and Quarry Lane Foods LLC.

1. Section 2 is amended: the annual subscription fee is $150,000.

2. All other terms remain in full force. This Amendment takes effect on June 1, 2026.
"""
OTHER = AGREEMENT.replace("Quarry Lane Foods", "Pebble Creek Mills").replace("March 1, 2026", "April 1, 2026")


def strings_in(root: Path) -> str:
    """All that stands in any file below a folder, as a person with the right programs would read it."""
    read = []
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        data = path.read_bytes()
        read.append(data.decode("utf-8", "replace"))
        if path.suffix == ".parquet":
            read.append(str(duckdb.sql(f"FROM read_parquet('{path}')").fetchall()))
        elif "work" in path.parts and path.suffix not in (".lock", ".sqlite"):
            size = int.from_bytes(data[:8], "big")
            read.append(pa.decompress(data[8:], size, codec="zstd", asbytes=True).decode())
    return "\n".join(read)


@pytest.fixture(scope="module")
def read_twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an inbox and a warehouse into which it was read twice, under two playbooks."""
    folder = tmp_path_factory.mktemp("twice")
    inbox = folder / "inbox"
    write_pdf(inbox / "quarry.pdf", AGREEMENT)
    (inbox / "quarry copy.pdf").write_bytes((inbox / "quarry.pdf").read_bytes())
    write_pdf(inbox / "amendment.pdf", AMENDMENT)
    write_pdf(inbox / "pebble.pdf", OTHER)
    for command in (("run", inbox), ("run", inbox, "--playbook", "nda"), ("compact", "--keep-days", "1")):
        done = call_here(*command, "--warehouse", folder / "warehouse", CONTRACT_AGENT_HOME=str(folder / "home"))
        assert done.code == 0, done.err
    return folder


@pytest.fixture
def keeper(tmp_path: Path, agent_here, read_twice: Path):
    """The command line with a warehouse of its own, into which an inbox was read twice, under two playbooks."""

    def call(command: str, *arguments: object, code: int = 0):
        done = agent_here(command, *arguments, "--warehouse", tmp_path / "warehouse")
        assert done.code == code, done.err
        return done

    shutil.copytree(read_twice, tmp_path, dirs_exist_ok=True)
    return call


def rows(keeper, sql: str) -> list[dict]:
    return keeper("sql", sql, "--format", "json").rows


def test_nothing_is_left_of_a_contract_and_the_others_stay(keeper, tmp_path: Path):
    root = tmp_path / "warehouse"
    work_out(root, least=0)
    index_words(root, least=0)
    indexes = set((root / "lake" / "words").iterdir())
    assert "150,000" in keeper("search", "150,000").out
    assert "Harbor Light" in strings_in(root / "lake" / "answers")
    assert "Harbor Light" in strings_in(root) and "150,000" in strings_in(root)
    in_force = "SELECT value FROM contract_in_force WHERE term = 'annual_value' AND value LIKE '1%'"
    assert {"value": "150000"} in rows(keeper, in_force)
    assert "--approve" in keeper("forget", "amendment.pdf", "--by", "ada", "--reason", "request 7").out
    assert "another person" in keeper("forget", "amendment.pdf", "--by", "Ada", "--approve", code=1).err
    assert "amendment.pdf" in keeper("forget", "amendment.pdf", "--by", "ben", "--approve").out
    assert not indexes <= set((root / "lake" / "words").iterdir())
    index_words(root, least=0)
    assert "150,000" not in keeper("search", "150,000").out
    left = strings_in(root)
    assert [trace for trace in ("150,000", "150000", "June 1, 2026", "AMENDMENT NO. 1") if trace in left] == []
    assert {"value": "150000"} not in rows(keeper, in_force)
    assert rows(keeper, "SELECT count(*) AS n FROM contracts") == [{"n": 2}]
    audit = "SELECT action, actor, approver, reason, len(sha256) AS files FROM audit ORDER BY number"
    assert rows(keeper, audit) == [
        {"action": "forget_asked", "actor": "ada", "approver": None, "reason": "request 7", "files": None},
        {"action": "forgotten", "actor": "ada", "approver": "ben", "reason": "request 7", "files": 1},
    ]
    assert keeper("run", tmp_path / "inbox").summary["documents"] == 2, "the others under all playbooks again"
    assert "June 1, 2026" not in strings_in(root), "no run reads the file again"
    assert "no contract amendment.pdf" in keeper("forget", "amendment.pdf", "--by", "ben", "--approve", code=1).err


def test_copies_go_with_the_contract_and_its_relatives_are_linked_anew(keeper, tmp_path: Path):
    keeper("forget", "quarry.pdf", "--by", "ada", "--reason", "x")
    done = keeper("forget", "quarry copy.pdf", "--by", "ben", "--approve")
    assert "quarry.pdf" in done.out and "quarry copy.pdf" in done.out
    assert "120,000" in strings_in(tmp_path / "warehouse"), "of the other agreement"
    assert rows(keeper, "SELECT file_name FROM documents ORDER BY 1") == [
        {"file_name": "amendment.pdf"},
        {"file_name": "pebble.pdf"},
    ]
    held = "SELECT parent_contract_id FROM contracts JOIN documents USING (document_id) WHERE file_name LIKE 'amend%'"
    assert rows(keeper, held) == [{"parent_contract_id": None}]
    assert rows(keeper, "SELECT rule_id FROM family_flags") == [{"rule_id": "M04"}], "the master is missing now"


def test_what_must_stay_is_not_forgotten(keeper, tmp_path: Path):
    assert "Nobody asked" in keeper("forget", "pebble.pdf", "--by", "ben", "--approve", code=1).err
    assert "say why" in keeper("forget", "pebble.pdf", "--by", "ada", code=2).err
    keeper("forget", "pebble.pdf", "--by", "ada", "--reason", "x")
    keeper("hold", "pebble.pdf", "--by", "eve", "--reason", "case 12")
    assert "legal hold by eve: case 12" in keeper("forget", "pebble.pdf", "--by", "ben", "--approve", code=1).err
    assert "legal hold" in keeper("forget", "pebble.pdf", "--by", "ada", "--reason", "x", code=1).err
    keeper("hold", "pebble.pdf", "--release", "--by", "eve", "--reason", "settled")
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    settings = home / "contract-agent.toml"
    settings.write_text("closed_periods = [[2026-07-01, 2026-09-30]]\n")
    assert "closed period 2026-07-01" in keeper("forget", "pebble.pdf", "--by", "ben", "--approve", code=1).err
    settings.write_text("closed_periods = [[2025-01-01, 2025-12-31]]\n")
    keeper("forget", "pebble.pdf", "--by", "ben", "--approve")
    assert "Pebble Creek" not in strings_in(tmp_path / "warehouse")


def test_the_record_of_requests_forgets_too(tmp_path: Path):
    ledger = Ledger(tmp_path / "requests.sqlite")
    for contract in ("c_1", "c_2"):
        request = f"request {contract}"
        number = ledger.begin(Sent(request, "r1", contract, "host", "0" * 64, 10, 3))
        reply = Reply("answered", f"what {contract} says " * 200, Usage(1, 0, 1))
        ledger.end(number, request, "r1", reply, (1.0, 1.0, 1.0))
    ledger.erase(["c_1", "c_9"])
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"what c_2 says" in held and b"what c_1 says" not in held and b"request c_1" not in held
