"""Families of contracts over the whole warehouse, worked out anew where a run touched them. Part of landing."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

import duckdb

from extractors.families import best_link, conflicts, in_force
from extractors.flag import not_held
from schemas.contract import PARENTAL, AmendmentEffect
from schemas.families import Conflict, FamilyTerm, Head, Link, Member, Spoken
from schemas.playbook import Playbook, Rule
from warehouse.catalogue import literal
from warehouse.lake import Linked, Linker
from warehouse.rows import family_flag_row

Row = dict[str, Any]
Connection = duckdb.DuckDBPyConnection

MOST_HOPS = 8
"""So many parents up a contract's family is looked for; more is a circle."""

_DAYS = ("agreement_date", "effective_date", "signed_date")
_OF_HEAD = ("contract_id", "document_id", "title", "contract_type", "numbers", "other_parties", *_DAYS)
_HEAD = ", ".join(f"c.{name}" for name in _OF_HEAD)
_OF_SPOKEN = ("reference", "relation", "number", "dated", "quote", "page_number", "x0", "y0", "x1", "y1")
_SPOKEN = f"""
CREATE OR REPLACE TEMP TABLE spoken AS
SELECT {_HEAD}, r.title AS said, {", ".join(f"r.{name}" for name in _OF_SPOKEN)}
FROM document_references r JOIN contracts_of_their_run c USING (contract_id) SEMI JOIN children USING (contract_id)
WHERE r.relation IN {PARENTAL}
"""
"""What is said of parents, with the head of who says it. Families don't count here, so the contracts are those of their
run: with what the families say of them each look at all contracts would take twice as long."""
_SAME_SIDES = (
    "(list_has_any({0}.other_parties, {1}.other_parties) OR len({0}.other_parties) = 0 OR len({1}.other_parties) = 0)"
)
_BY_DAY = f"""
SELECT r.contract_id AS child, d.* EXCLUDE (day)
FROM (SELECT DISTINCT contract_id, dated, other_parties FROM spoken WHERE dated IS NOT NULL) r
JOIN (
    SELECT {_HEAD}, unnest([{", ".join(f"c.{day}" for day in _DAYS)}]) AS day
    FROM contracts_of_their_run c
    WHERE {" OR ".join(f"c.{day} IN (SELECT dated FROM spoken)" for day in _DAYS)}
) d ON d.day = r.dated AND {_SAME_SIDES.format("r", "d")}
"""
_BY_NUMBER = f"""
SELECT r.contract_id AS child, d.* EXCLUDE (word)
FROM (SELECT DISTINCT contract_id, number FROM spoken WHERE number IS NOT NULL) r
JOIN (SELECT {_HEAD}, unnest(c.numbers) AS word FROM contracts_of_their_run c) d ON d.word = r.number
"""
_BY_PARTY = f"""
SELECT r.contract_id AS child, d.* EXCLUDE (word)
FROM (
    SELECT DISTINCT contract_id, unnest(other_parties) AS party
    FROM spoken WHERE dated IS NULL AND number IS NULL
) r
JOIN (SELECT {_HEAD}, unnest(c.other_parties) AS word FROM contracts_of_their_run c) d ON d.word = r.party
"""
_WAYS = {
    "dated IS NOT NULL": _BY_DAY,
    "number IS NOT NULL": _BY_NUMBER,
    "dated IS NULL AND number IS NULL": _BY_PARTY,
}
"""The ways to look for parents, each a look at all contracts, and when one of those who speak needs it."""
_CHILDREN = f"""
CREATE TEMP TABLE children AS
WITH days AS (SELECT DISTINCT other_parties, unnest([{", ".join(_DAYS)}]) AS day FROM fresh),
speaking AS (
    SELECT r.contract_id, r.dated, r.number, c.other_parties
    FROM document_references r JOIN contracts_of_their_run c USING (contract_id) WHERE r.relation IN {PARENTAL}
),
met AS (
    SELECT contract_id FROM fresh
    UNION SELECT m.contract_id FROM family_members m SEMI JOIN fresh f ON f.contract_id = m.parent_contract_id
    UNION SELECT s.contract_id FROM speaking s JOIN days d ON d.day = s.dated WHERE {_SAME_SIDES.format("s", "d")}
    UNION SELECT s.contract_id FROM speaking s SEMI JOIN (SELECT unnest(numbers) AS number FROM fresh) n USING (number)
    UNION SELECT s.contract_id
    FROM (SELECT contract_id, unnest(other_parties) AS party FROM speaking WHERE dated IS NULL AND number IS NULL) s
    SEMI JOIN (SELECT unnest(other_parties) AS party FROM fresh) p USING (party)
)
SELECT contract_id FROM met
UNION SELECT m.contract_id FROM family_members m
SEMI JOIN (SELECT family_id FROM family_members SEMI JOIN met USING (contract_id)) f USING (family_id)
"""
"""The contracts whose parent this run may have changed, with their families: those of the run, those whose parent
they are or may be. So a night costs what arrived, however much is held."""
_FAMILIES_OF_PARENTS = """
INSERT INTO children
SELECT m.contract_id FROM family_members m
SEMI JOIN (SELECT family_id FROM family_members WHERE contract_id IN (SELECT unnest($parents))) f USING (family_id)
ANTI JOIN children c ON c.contract_id = m.contract_id
"""


NOT_HELD = 1_000
"""Ordinal of the flag about a parent that is not held, beside those about missing exhibits of the same rule."""


_FRESH = f"""
CREATE TEMP TABLE fresh AS
SELECT {_HEAD}, c.run_id FROM contracts_of_their_run c WHERE run_id = $run_id
"""
_ALSO_FRESH = f"""
INSERT INTO fresh
SELECT {_HEAD}, c.run_id FROM contracts_of_their_run c
SEMI JOIN (SELECT unnest($also) AS contract_id) a ON a.contract_id = c.contract_id
WHERE c.run_id <> $run_id
"""


def linker(today: date, playbook: Playbook, also: Collection[str] = ()) -> Linker:
    """What `warehouse.lake.land` calls: the families as they stand on a day, of the contracts that the run landed and
    of those in `also`."""
    return partial(_linked, today=today, rule=playbook.library["M04"], also=also)


def _linked(con: Connection, run_id: str, *, today: date, rule: Rule, also: Collection[str]) -> Linked:
    con.execute(_FRESH, {"run_id": run_id})
    if also:
        con.execute(_ALSO_FRESH, {"run_id": run_id, "also": list(also)})
    con.execute(_CHILDREN)
    spoken, links = _linked_children(con)
    con.execute(_FAMILIES_OF_PARENTS, {"parents": [link.parent.contract_id for link in links.values()]})
    spoken, links = _linked_children(con)
    parents = {child: link.parent.contract_id for child, link in links.items()}
    roots = {contract: _root(contract, parents) for contract in {*parents, *parents.values()}}
    touched = _touched(con, links, roots)
    families = defaultdict(list)
    for contract, root in sorted(roots.items()):
        if root in touched:
            families[root].append(contract)
    read = _members(con, run_id, [contract for family in families.values() for contract in family], links)
    rows: dict[str, list[Row]] = {"family_members": [], "family_terms": [], "family_conflicts": [], "family_flags": []}
    for root, family in families.items():
        rows["family_members"] += [_member_row(root, read[c], links.get(c), run_id) for c in family]
        others = [read[contract] for contract in family if contract != root]
        held = in_force(read[root], others, today)
        rows["family_terms"] += [_term_row(root, term, run_id) for term in held]
        rows["family_conflicts"] += [_conflict_row(root, one, run_id) for one in conflicts(held, read[root], others)]
    for child, said in spoken.items():
        root = roots.get(child, child)
        if child not in links and root in touched:
            rows["family_flags"].append(_missing_row(root, said[0], rule, run_id))
    return Linked(rows, frozenset(touched))


def _linked_children(con: Connection) -> tuple[dict[str, list[Spoken]], dict[str, Link]]:
    """What the children say of their parents, and the parent of each that has one."""
    con.execute(_SPOKEN)
    spoken, candidates = _spoken(con), _candidates(con)
    links = {child: link for child, said in spoken.items() if (link := best_link(said, candidates.get(child, [])))}
    return spoken, links


def _root(contract: str, parents: Mapping[str, str]) -> str:
    for _ in range(MOST_HOPS):
        if contract not in parents:
            break
        contract = parents[contract]
    return contract


def _touched(con: Connection, links: Mapping[str, Link], roots: Mapping[str, str]) -> set[str]:
    """The families that this run may have changed: with a contract of this run, or with other members than before."""
    landed = [row[0] for row in con.execute("SELECT contract_id FROM fresh").fetchall()]
    sql = "SELECT contract_id, family_id, parent_contract_id FROM family_members SEMI JOIN children USING (contract_id)"
    former = con.execute(sql).fetchall()
    before = {contract: (family, parent) for contract, family, parent in former}
    now = {c: (root, links[c].parent.contract_id if c in links else None) for c, root in roots.items()}
    touched = {roots.get(contract, contract) for contract in landed}
    touched |= {before[contract][0] for contract in landed if contract in before}
    for contract in before.keys() | now.keys():
        if before.get(contract) != now.get(contract):
            touched |= {place[0] for place in (before.get(contract), now.get(contract)) if place}
            touched.add(contract)
    return touched


def _rows(con: Connection, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
    found = con.execute(sql, list(parameters))
    names = [column[0] for column in found.description]
    for row in found.fetchall():
        yield dict(zip(names, row, strict=True))


def _head(row: Row) -> Head:
    days = (row["agreement_date"], row["effective_date"], row["signed_date"])
    return Head(
        **{name: row[name] for name in ("contract_id", "document_id", "title", "contract_type")},
        days=tuple(day for day in days if day),
        others=tuple(row["other_parties"] or ()),
        numbers=tuple(row["numbers"] or ()),
    )


def _spoken(con: Connection) -> dict[str, list[Spoken]]:
    """The references of each contract that would name its parent, in the order of its text."""
    found: dict[str, list[Spoken]] = {}
    for row in _rows(con, "FROM spoken ORDER BY contract_id, reference"):
        said = {name: row[name] for name in ("relation", "number", "dated", "quote", "page_number")}
        said["box"] = None if row["x0"] is None else tuple(row[edge] for edge in ("x0", "y0", "x1", "y1"))
        found.setdefault(row["contract_id"], []).append(Spoken(child=_head(row), title=row["said"], **said))
    return found


def _candidates(con: Connection) -> dict[str, list[Head]]:
    """For each contract that speaks of a parent, those it may mean."""
    ways = [way for need, way in _WAYS.items() if con.execute(f"FROM spoken WHERE {need} LIMIT 1").fetchall()]
    found: dict[str, list[Head]] = {}
    for row in _rows(con, " UNION ".join(ways) + " ORDER BY ALL") if ways else ():
        found.setdefault(row["child"], []).append(_head(row))
    return found


def _members(con: Connection, run_id: str, contracts: Collection[str], links: Mapping[str, Link]) -> dict[str, Member]:
    """The contracts of the families with all that their terms in force hang on."""
    con.execute("CREATE TEMP TABLE wanted AS SELECT unnest(?::VARCHAR[]) AS contract_id", [list(contracts)])
    since = "coalesce(c.effective_date, c.agreement_date, c.signed_date) AS effective_from"
    wanted = "SEMI JOIN wanted USING (contract_id)"
    heads = list(_rows(con, f"SELECT contract_id, c.document_id, {since} FROM contracts c {wanted}"))
    began = {row["contract_id"]: row["effective_from"] for row in heads}
    terms, effects = defaultdict(list), defaultdict(list)
    told = ", ".join(_TOLD)
    for row in _rows_of_wanted(con, run_id, f"{told}, char_start", "terms", "value IS NOT NULL"):
        told_of = {name: row[name] for name in _TOLD}
        terms[row["contract_id"]].append(FamilyTerm(**told_of, effective_from=began[row["contract_id"]]))
    for row in _rows(con, f"SELECT * FROM amendment_effects {wanted} ORDER BY effect_number"):
        told_of = {name: row[name] for name in _EFFECT}
        effects[row["contract_id"]].append(AmendmentEffect(**told_of, terms=tuple(row["terms"] or ())))
    clauses = defaultdict(list)
    ranking = "clause_type = 'order_of_precedence'"
    for row in _rows_of_wanted(con, run_id, "contract_id, text, char_start", "clauses", ranking):
        clauses[row["contract_id"]].append(row["text"])
    texts = _texts(con) if any(effect.effect == "deletes" for each in effects.values() for effect in each) else {}
    return {
        row["contract_id"]: Member(
            **row,
            relation=links[row["contract_id"]].spoken.relation if row["contract_id"] in links else None,
            terms=tuple(terms[row["contract_id"]]),
            effects=tuple(effects[row["contract_id"]]),
            precedence=tuple(clauses[row["contract_id"]]),
            text=texts.get(row["contract_id"], ""),
        )
        for row in heads
    }


def _rows_of_wanted(con: Connection, run_id: str, columns: str, table: str, condition: str) -> Iterator[Row]:
    """The rows of the wanted contracts in the order of the text.

    Those of this run are found by its id, the others by theirs: so of the large files, which are sorted by contract,
    only the parts are read where one may stand.
    """
    others = """SELECT contract_id FROM wanted
        ANTI JOIN (SELECT contract_id FROM fresh WHERE run_id = $run_id) USING (contract_id)"""
    ids = [literal(id) for (id,) in con.execute(others, {"run_id": run_id}).fetchall()]
    found = f"SELECT {columns} FROM {table} WHERE {condition} AND"
    more = f"UNION ALL {found} contract_id IN ({', '.join(ids)}) AND run_id <> {literal(run_id)}" if ids else ""
    sql = f"SELECT * FROM ({found} run_id = {literal(run_id)} {more}) SEMI JOIN wanted USING (contract_id)"
    return _rows(con, f"{sql} ORDER BY char_start")


_TOLD = tuple(name for name in FamilyTerm.model_fields if name != "effective_from")
_EFFECT = ("effect", "section", "old_text", "new_text", "months", "quote", "page_number")


def _texts(con: Connection) -> dict[str, str]:
    """The texts of the wanted contracts, where a deleted section has to be looked up."""
    sql = """SELECT c.contract_id, string_agg(p.text, chr(10) ORDER BY p.page_number) FROM contracts c
        SEMI JOIN wanted USING (contract_id) JOIN pages p USING (document_id) GROUP BY ALL"""
    return dict(con.execute(sql).fetchall())


def _member_row(root: str, member: Member, link: Link | None, run_id: str) -> Row:
    row = {
        "family_id": root,
        "contract_id": member.contract_id,
        "document_id": member.document_id,
        "effective_from": member.effective_from,
        "relation": "root",
        "run_id": run_id,
    }
    if link is None:
        return row
    return row | {
        "parent_contract_id": link.parent.contract_id,
        "relation": link.spoken.relation,
        "confidence": link.confidence,
        "quote": link.spoken.quote,
        "page_number": link.spoken.page_number,
    }


def _term_row(root: str, term: FamilyTerm, run_id: str) -> Row:
    row = term.model_dump(exclude={"contract_id", "document_id", "confidence"})
    by = {"set_by_contract_id": term.contract_id, "set_by_document_id": term.document_id}
    return row | by | {"family_id": root, "contract_id": root, "run_id": run_id}


def _conflict_row(root: str, one: Conflict, run_id: str) -> Row:
    row = one.model_dump(include={"contract_id", "term", "value", "prevails", "quote"})
    held = {"held_value": one.held.value, "held_by_contract_id": one.held.contract_id}
    return row | held | {"family_id": root, "run_id": run_id}


def _missing_row(root: str, said: Spoken, rule: Rule, run_id: str) -> Row:
    ids = said.child.model_dump(include={"contract_id", "document_id"}) | {"run_id": run_id}
    place = dict(zip(("x0", "y0", "x1", "y1"), said.box or (), strict=False)) | {"page_number": said.page_number}
    return family_flag_row(root, ids, not_held(rule, said), NOT_HELD, place)
