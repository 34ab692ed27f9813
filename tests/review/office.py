"""A small warehouse with its review: decisions are made, landed and met by later readings."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from review.actions import Reviewing
from review.desk import Desk
from review.landing import Landed, land_decisions
from review.shown import Item
from review.store import Store
from schemas.review import Person, Standing
from schemas.settings import Settings
from schemas.tables import TABLES
from warehouse.catalogue import publish
from warehouse.decisions import Decision
from warehouse.lake import land
from warehouse.read import query
from warehouse.stage import new_run_id

ANN = Person(name="Ann", role="reviewer")
BEN = Person(name="Ben", role="approver")
Change = Callable[[str, dict[str, Any]], dict[str, Any] | None]


class Office:
    """The desk of one contract, and the people at it."""

    def __init__(self, root: Path, **settings: Any):
        self.root = root
        self.store = Store(root / "review")
        self.desk = Desk(root, self.store)
        self.reviewing = Reviewing(self.store, self.desk, Settings(**({"review_materiality": 1e9} | settings)))
        ((self.contract_id,),) = query(root, "SELECT contract_id FROM contracts")[1]

    @property
    def view(self) -> Any:
        return self.desk.contract(self.contract_id)

    def term(self, name: str) -> Item:
        return next(item for item in self.view.terms if item.name == name)

    def flag(self, rule_id: str) -> Item:
        return next(item for item in self.view.flags if item.name == rule_id)

    def decide(self, item: Item, decision: str, person: Person = ANN, **more: Any) -> Standing:
        given = {"target": item.target, "target_id": item.id, "evidence_hash": item.evidence_hash}
        return self.reviewing.decide(person, Decision(**given, decision=decision, **more))

    def override(self, name: str, value: str) -> Standing:
        return self.decide(self.term(name), "overridden", new_value=value, reason_code="ocr_error")

    def land(self) -> Landed:
        """Land what was decided, and wait for the desk to show it."""
        before = self.desk.publication()
        landed = land_decisions(self.root, self.store)
        if landed.run_id:
            self.wait(before)
        return landed

    def read_again(self, change: Change = lambda table, row: row) -> None:
        """A later run reads the contract anew; `change` gives its rows, None for one that is not there any more."""
        before = self.desk.publication()
        run_id = new_run_id(datetime.now(UTC))
        rows: dict[str, list[dict[str, Any]]] = {}
        for table in TABLES:
            if table.level == "contract":
                columns, found = query(self.root, f"SELECT * FROM {table.name}")
                held = [dict(zip(columns, row, strict=True)) for row in found]
                new = [changed for row in held if (changed := change(table.name, row)) is not None]
                rows[table.name] = [row | {"run_id": run_id, "version": row["version"] + 1} for row in new]
        day = datetime.now(UTC)
        land(self.root, {"run_id": run_id, "started_at": day, "business_date": day.date()}, [rows])
        publish(self.root)
        self.wait(before)

    def wait(self, before: str) -> None:
        """Until the desk shows another publication than that."""
        for _ in range(2_000):
            if self.desk.publication() != before:
                return
            self.desk.settle()
        raise AssertionError("the desk never showed the new publication")

    def queued(self) -> set[str]:
        """The rules of the flags in the queue."""
        return {row.rule_id for row in self.desk.queue().rows}

    def conflicts(self) -> list[tuple[str, str | None]]:
        return [(one.kind, one.name) for one in self.desk.conflicts()]


def changed(table: str, changes: dict[str, Any], **where: Any) -> Change:
    """A change to those rows of a table."""

    def change(name: str, row: dict[str, Any]) -> dict[str, Any]:
        is_meant = name == table and all(row[column] == value for column, value in where.items())
        return row | changes if is_meant else row

    return change


def without(table: str, **where: Any) -> Change:
    """A reading in which those rows of a table are missing."""

    def change(name: str, row: dict[str, Any]) -> dict[str, Any] | None:
        return None if name == table and all(row[column] == value for column, value in where.items()) else row

    return change
