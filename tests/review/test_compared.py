"""Comparing contracts of the warehouse: clause by clause, term by term, and what amendments changed."""

import shutil
from pathlib import Path

import pytest
from frontdoor import AGREEMENT, call_here, write_pdf

from review.actions import Reviewing
from review.compared import redlined, side_by_side
from review.contracts import Contracts
from review.desk import Desk
from review.published import Published
from review.store import Store
from schemas.errors import ContractAgentError
from schemas.review import Person, ReviewError
from schemas.settings import Settings
from warehouse.decisions import Decision
from warehouse.keep import Keep

SAMPLES = Path(__file__).resolve().parents[2] / "sample_contracts"
FAMILY = ("saas-agreement-halvorsen.pdf", "amendment-1-halvorsen.pdf", "amendment-2-halvorsen.pdf")
LATER = AGREEMENT.replace("within sixty (60) days of the invoice", "within thirty (30) days of the invoice").replace(
    "Customer may terminate this Agreement for convenience upon ninety (90) days' prior written notice.", ""
)


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse of two versions of an agreement and of a family."""
    folder = tmp_path_factory.mktemp("read")
    write_pdf(folder / "inbox" / "first.pdf", AGREEMENT)
    write_pdf(folder / "inbox" / "second.pdf", LATER)
    for name in FAMILY:
        shutil.copy(SAMPLES / name, folder / "inbox")
    ours = '["Harbor Light Software, Inc.", "Halvorsen Analytics, Inc."]'
    settings = {"CONTRACT_AGENT_HOME": str(folder / "home"), "CONTRACT_AGENT_OUR_ENTITIES": ours}
    done = call_here("run", folder / "inbox", "--warehouse", folder / "w", "--date", "2026-11-02", **settings)
    assert done.summary["contracts"] == 5, done.err
    return folder / "w"


@pytest.fixture
def desk(read_once: Path, tmp_path: Path):
    shutil.copytree(read_once, tmp_path / "w")
    desk = Desk(tmp_path / "w", Store(tmp_path / "w" / "review"))
    yield desk
    desk.close()


def id_of(desk: Desk, file_name: str) -> str:
    return next(row.contract_id for row in desk.contracts(size=100).rows if row.file_name == file_name)


def test_two_versions_clause_by_clause(desk: Desk):
    found = redlined(desk, id_of(desk, "first.pdf"), id_of(desk, "second.pdf"))
    assert (found.old_name, found.new_name, found.language) == ("first.pdf", "second.pdf", "en")
    changed = {change.heading or change.new_text: change for change in found.changes if change.kind == "changed"}
    assert len(changed) == 2
    fees = next(change for change in changed.values() if "thirty (30) days of the invoice" in (change.new_text or ""))
    deleted = "".join(text for operation, text in fees.words if operation == "delete")
    inserted = "".join(text for operation, text in fees.words if operation == "insert")
    assert "sixty" in deleted and "thirty" in inserted
    assert "R01" in {row["rule_id"] for row in found.gone_flags}
    assert not {row["rule_id"] for row in found.new_flags} & {row["rule_id"] for row in found.gone_flags}


def test_a_version_with_itself(desk: Desk):
    found = redlined(desk, id_of(desk, "first.pdf"), id_of(desk, "first.pdf"))
    assert {change.kind for change in found.changes} == {"unchanged"}
    assert found.new_flags == found.gone_flags == ()


def test_a_reading_that_is_kept_no_longer(desk: Desk):
    second = id_of(desk, "second.pdf")
    redlined(desk, id_of(desk, "first.pdf"), second)
    Keep(desk.root / "work", second).forget()
    with pytest.raises(ReviewError) as raised:
        redlined(desk, id_of(desk, "first.pdf"), second)
    assert raised.value.code == "no_reading" and "second.pdf" in raised.value.message


def test_contracts_side_by_side_with_what_was_decided(desk: Desk):
    ids = [id_of(desk, name) for name in ("first.pdf", "second.pdf")]
    terms = ("payment_terms_days", "governing_law", "minimum_commitment")
    table = side_by_side(desk, ids, terms)
    assert table.names == ("first.pdf", "second.pdf")
    assert [[one and one.value for one in told] for _, told in table.rows] == [
        ["60", "30"],
        ["New York", "New York"],
        [None, None],
    ]
    assert [table.differs(name) for name in terms] == [True, False, False]
    item = next(item for item in desk.contract(ids[0]).terms if item.name == "payment_terms_days")
    decide(desk, item, "overridden", new_value="30", reason_code="ocr_error")
    law = next(item for item in desk.contract(ids[1]).terms if item.name == "governing_law")
    decide(desk, law, "rejected")
    table = side_by_side(desk, ids, terms)
    assert [table.differs(name) for name in terms] == [False, True, False]
    assert table.rows[0][1][0].status == "overridden"


def decide(desk: Desk, item, decision: str, **more) -> None:
    given = {"target": item.target, "target_id": item.id, "evidence_hash": item.evidence_hash, "decision": decision}
    reviewing = Reviewing(Store(desk.root / "review"), desk, Settings(review_materiality=1e9))
    reviewing.decide(Person(name="Ann", role="reviewer"), Decision(**given, **more))


def test_what_cannot_be_compared(desk: Desk):
    with pytest.raises(ContractAgentError, match="no term colour"):
        side_by_side(desk, [id_of(desk, "first.pdf")], ("colour",))
    for ask in (lambda: side_by_side(desk, ["c_1"]), lambda: redlined(desk, "c_1", "c_2")):
        with pytest.raises(ReviewError) as raised:
            ask()
        assert raised.value.code == "not_found"


def test_what_each_amendment_changed(desk: Desk):
    """As the three documents say it: see sample_contracts."""
    family = desk.contract(id_of(desk, FAMILY[1])).family
    assert [member.file_name for member in family] == list(FAMILY)
    assert [member.relation for member in family] == ["root", "amends", "amends"]
    root, first, second = (
        {change.term: (change.before, change.after) for change in member.changed} for member in family
    )
    assert root == {}
    assert first == {"annual_value": ("144000", "168000"), "payment_terms_days": ("45", "60")}
    assert second["initial_term_months"] == ("24", "36")
    assert second["expiration_date"] == ("2028-02-29", "2029-02-28")
    assert second["termination_for_convenience"] == ("none", "customer")
    assert second["termination_notice_days"] == (None, "90")
    assert "payment_terms_days" not in second
    assert all(effect["contract_id"] == member.contract_id for member in family for effect in member.effects)
    assert len(family[1].effects) > 0


def test_a_contract_read_beforehand_is_the_same(desk: Desk):
    """Whether its rows are asked of the lake or of those that were brought near."""
    published = Published(desk.root)
    near, far = Contracts(published), Contracts(published)
    near.bring_near()
    ids = {row["contract_id"] for row in published.rows("SELECT contract_id FROM contracts")}
    assert near.near_ids and near.near_ids <= ids
    for contract_id in ids:
        assert near.get(contract_id) == far.get(contract_id)
        for row in far.get(contract_id).rows["flags"]:
            assert near.of_target(("flag", row["flag_id"])) == contract_id
    for contracts in (near, far):
        contracts.close()
    published.close()
