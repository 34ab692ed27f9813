"""What the page shows of a family: its contracts, and what each amendment made of the terms."""

from collections.abc import Iterator, Sequence

from extractors.amendments import OF_THE_DOCUMENT
from review.shown import ChangedTerm, Member, Row
from schemas.terms import TERM_BY_NAME

CHANGING = ("amends", "renews", "restates")
"""The relations of documents that change the one they hang on."""


def family(
    members: Sequence[Row], in_force: Sequence[Row], said: Sequence[Row], effects: Sequence[Row]
) -> tuple[Member, ...]:
    """The members in the order given, root first, each with what it changed.

    `in_force` are the rows of `family_terms`, `said` the terms as the members' own texts have them. What an amendment
    set and a later one replaced is told from its own text and is no longer in force.
    """
    family = _Family(members, in_force, said, effects)
    return tuple(_member(row, family) for row in members)


def _member(row: Row, family: "_Family") -> Member:
    own = {name: row[name] for name in ("contract_id", "parent_contract_id", "relation", "title", "contract_type")}
    place = {name: row[name] for name in ("effective_from", "file_name", "quote", "page_number")}
    return Member(
        **own,
        **place,
        document_id=row["of_document"] or row["document_id"],
        changed=tuple(family.changed(row)) if row["relation"] in CHANGING else (),
        effects=tuple(family.effects.get(row["contract_id"], ())),
    )


class _Family:
    def __init__(self, members: Sequence[Row], in_force: Sequence[Row], said: Sequence[Row], effects: Sequence[Row]):
        self._members = {row["contract_id"]: row for row in members}
        self._set: dict[tuple[str, str], Row] = {}
        for row in in_force:
            self._set.setdefault((row["set_by_contract_id"], row["term"]), row)
        self._said: dict[tuple[str, str], Row] = {}
        for row in said:
            self._said.setdefault((row["contract_id"], row["term"]), row)
        self.effects: dict[str, list[Row]] = {}
        for row in effects:
            self.effects.setdefault(row["contract_id"], []).append(row)

    def changed(self, member: Row) -> Iterator[ChangedTerm]:
        """The terms that an amendment set, in the order of all terms."""
        contract_id = member["contract_id"]
        brought, chain = self._brought(contract_id), self._chain(member)
        for name in TERM_BY_NAME:
            held, own = self._set.get((contract_id, name)), self._said.get((contract_id, name))
            is_own = name in brought and own is not None and own["evidence"] != "derived"
            if name in OF_THE_DOCUMENT or not (held or is_own):
                continue
            source = held or own or {}
            before = next((value for id in chain if (value := self._value(id, name)) is not None), None)
            if before == source["value"]:
                continue  # said again
            yield ChangedTerm(
                term=name,
                before=before,
                after=source["value"],
                is_in_force=held is not None,
                set_by_contract_id=contract_id,
                set_by_document_id=source.get("set_by_document_id") or source.get("document_id"),
                effective_from=member["effective_from"],
                quote=source["quote"],
                page_number=source["page_number"],
            )

    def _chain(self, member: Row) -> list[str]:
        """What a member changed stood in these, the latest first: the changes before it, then the contract itself."""
        target = self._target(member)
        earlier = [
            row
            for row in self._members.values()
            if row["relation"] in CHANGING and self._target(row) == target and _order(row) < _order(member)
        ]
        return [*(row["contract_id"] for row in sorted(earlier, key=_order, reverse=True)), target]

    def _target(self, member: Row) -> str:
        """The contract that a change changes: the nearest above it that is no change itself."""
        at, met = member, set()
        while at["relation"] in CHANGING and at["contract_id"] not in met:
            met.add(at["contract_id"])
            above = self._members.get(at["parent_contract_id"])
            if above is None:
                return at["family_id"]
            at = above
        return at["contract_id"]

    def _value(self, contract_id: str, name: str) -> str | None:
        """What a contract says of a term; of a change only what it brings into the contract that it changes."""
        row = self._set.get((contract_id, name))
        is_change = self._members[contract_id]["relation"] in CHANGING
        if row is None and (not is_change or name in self._brought(contract_id)):
            row = self._said.get((contract_id, name))
        return row["value"] if row else None

    def _brought(self, contract_id: str) -> set[str]:
        return {name for effect in self.effects.get(contract_id, ()) for name in effect["terms"] or ()}


def _order(row: Row) -> tuple[str, str]:
    return str(row["effective_from"] or ""), row["contract_id"]
