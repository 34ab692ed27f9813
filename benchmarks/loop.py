"""What two hundred decisions on systematic errors teach: agreement before and after on contracts held back.

    contract-agent benchmark loop [--contracts 160] [--decisions 200] [--keep FOLDER]

The contracts are made on the spot, one page each, by `benchmarks.scale`, with wordings of which the engine reads some
wrongly every time: who may leave without cause (a choice), in how many days invoices fall due (the wrong one of two
places), exclusivity (a rule that fires on a warranty). Other wordings of the same clauses are read rightly, so what is
learnt has to tell them apart. A scripted reviewer who knows the truth decides; another one adopts. Printed is the
agreement by field on every fifth contract, which nothing was learnt from, on contracts in other wordings that nobody
decided on, and what else changed in the tables.
"""

import argparse
import json
import os
import random
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pymupdf

from benchmarks.scale import AGENT, SECTIONS, opening_of, written
from review.loop.decided import same_value
from review.loop.sampling import is_held_back
from warehouse.decisions import Decision, evidence_of, take
from warehouse.read import query

TERMS = ("termination_for_convenience", "payment_terms_days")
FOLLOWS = "accounting_term_end"
"""Is derived from the first of TERMS: where nobody may leave without cause it is the end of the stated term."""
RULE = "R46"
DATE = "2026-11-02"


class Wording(NamedTuple):
    """A wording and its truth: the value of a term (of PAYING the number `days`), or whether the rule's flag stands."""

    text: str
    truth: str | bool


_ORDERS = ("work order", "order form", "delivery order", "call-off order")
_RUNS = (
    "the Agreement itself runs its full course",
    "the Agreement as such stays in force to the end of its period",
    "this leaves the Agreement itself untouched until its period ends",
)
_FIRST = ("deposit", "set-up charge", "first instalment", "mobilisation payment")
_LATER = ("All further invoices", "All later invoices", "Each subsequent invoice", "The following invoices")
_THINGS = ("module", "library", "design", "data set", "tool kit")

LEAVING = (
    *(Wording(f"{{customer}} may cancel any single {o} for convenience; {r}.", "none") for o in _ORDERS for r in _RUNS),
    *[Wording("{customer} may terminate this Agreement for convenience upon {notice} days' notice.", "customer")] * 6,
    *[Wording("Either party may terminate this Agreement for convenience on {notice} days' notice.", "either")] * 6,
)
PAYING = (
    *(
        Wording(
            f"The annual fee is {{amount}}. The {first} is payable within {{early}} days of the invoice date. {later} "
            "must be paid within {days} days of the invoice date.",
            "{days}",
        )
        for first in _FIRST
        for later in _LATER
    ),
    *[Wording("The annual fee is {amount}. Invoices are due within {days} days of the invoice date.", "{days}")] * 8,
    *[
        Wording(
            "The annual fee is {amount}. All invoices are payable within {days} days of the invoice date. The closing "
            "statement is payable within {early} days of the invoice date.",
            "{days}",
        )
    ]
    * 8,
)
ALONE = (
    *(
        Wording(
            f"{{provider}} warrants that it holds the exclusive right to the {{words}} {t} and may license it.", False
        )
        for t in _THINGS
    ),
    *(
        Wording(f"{{provider}} grants {{customer}} the exclusive right to sell the {{words}} {t} in {{state}}.", True)
        for t in _THINGS
    ),
)

UNSEEN = (
    (
        Wording(
            "{customer} may withdraw from one purchase for convenience; all other purchases and the frame stay.", "none"
        ),
        Wording("{customer} can terminate for convenience a booked training day, and nothing else by it.", "none"),
        Wording("Each party may terminate this Agreement for convenience, giving {notice} days' notice.", "either"),
    ),
    (
        Wording(
            "A retainer of a tenth is payable within {early} days of the invoice date. Invoices thereafter are payable "
            "within {days} days of the invoice date.",
            "{days}",
        ),
        Wording("The yearly price is {amount}, payable within {days} days of the invoice date.", "{days}"),
    ),
    (
        Wording(
            "{provider} represents that it owns the exclusive right to the {words} software and may sublicense it.",
            False,
        ),
        Wording("{customer} is appointed as the exclusive reseller of the {words} goods in {state}.", True),
    ),
)
"""Wordings of the same clauses that no decision is about: what was learnt of others may help, and must not harm."""
OTHERS = "other-"
"""Begins the names of contracts in these wordings."""


class Made(NamedTuple):
    """A contract and its truth: the values of TERMS, and whether flags of RULE stand."""

    text: str
    terms: dict[str, str]
    stands: bool


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the agreement before and after, and the same as JSON."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark loop", description=__doc__.splitlines()[0])
    parser.add_argument("--contracts", type=int, default=160)
    parser.add_argument("--decisions", type=int, default=200)
    parser.add_argument("--keep", type=Path, help="a folder for the contracts and the warehouse")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="contract-agent-loop-") as folder:
        result = loop(arguments.keep or Path(folder), arguments.contracts, arguments.decisions)
    for where in ("held_back", "unseen"):
        for row in result[where]:
            told = "{field:30} {items:4}   before {before:.3f}   after {after:.3f}".format(**row)
            print(f"{where:10} {told}")
    for name in ("decisions", "other_terms_changed", "other_flags_changed", "doubted_flags", "gold_terms_right"):
        print(f"{name:30} {result[name]}")
    print(json.dumps(result))
    return 0


def loop(folder: Path, count: int, decisions: int) -> dict[str, Any]:
    """The whole round: run, decide, learn, adopt, run again."""
    made = dict(write(folder / "inbox", count)) | dict(write(folder / "inbox", count // 4, unseen=True))
    agent = _Agent(folder)
    agent("run", folder / "inbox", "--date", DATE)
    truth = _by_contract(agent.warehouse, {name: one for name, one in made.items() if not name.startswith(OTHERS)})
    others = _by_contract(agent.warehouse, {name: one for name, one in made.items() if name.startswith(OTHERS)})
    decided = take(agent.warehouse, list(_decisions(agent.warehouse, truth))[:decisions])
    before = _state(agent.warehouse)
    agent("learn", "train", "--by", "Ada")
    version = next((agent.home / "learned").glob("learned-*.json")).stem
    rows = json.loads(agent("learn", "adopt", version, "--approver", "Ben", "--reason", "measured", "--format", "json"))
    agent("run", folder / "inbox", "--date", DATE)
    after = _state(agent.warehouse)
    gold = [row for row in rows if row["where"] == "gold" and row["what"] == "term"]
    return {
        "contracts": count,
        "decisions": decided.landed,
        "refused": len(decided.refusals),
        "held_back": list(agreements({id: one for id, one in truth.items() if is_held_back(id)}, before, after)),
        "unseen": list(agreements(others, before, after)),
        "other_terms_changed": _changed(before.terms, after.terms, (*TERMS, FOLLOWS)),
        "other_flags_changed": _changed(before.flags, after.flags, (RULE,)),
        "doubted_flags": sum(flag["learned"] is not None for flag in after.flags.values()),
        "gold_terms_right": [sum(row[state] for row in gold) for state in ("before", "after")],
        "measured_by_adopt": rows,
    }


class _Agent:
    """The command line with a data folder of its own."""

    def __init__(self, folder: Path):
        self.home, self.warehouse = folder / "home", folder / "warehouse"
        self._environment = os.environ | {"CONTRACT_AGENT_HOME": str(self.home)}

    def __call__(self, *arguments: object) -> str:
        command = [str(AGENT), *map(str, arguments), "--warehouse", str(self.warehouse)]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed: {done.stderr[-2000:]}\n{done.stdout[-2000:]}")
        return done.stdout


def write(folder: Path, count: int, first: int = 0, *, unseen: bool = False) -> Iterator[tuple[str, Made]]:
    """So many contracts as files, from a number on, each name with what was made; `unseen` in wordings of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        one = made(number, UNSEEN if unseen else (LEAVING, PAYING, ALONE))
        name = f"{OTHERS if unseen else 'contract-'}{number:04}.pdf"
        with pymupdf.open() as pdf:
            pdf.new_page().insert_textbox((54, 48, 558, 780), one.text, fontsize=9)
            pdf.save(folder / name, no_new_id=True)  # the same bytes each time, so the same are held back
        yield name, one


def made(number: int, of: Sequence[Sequence[Wording]] = (LEAVING, PAYING, ALONE)) -> Made:
    """A contract and its truth; both hang on its number and the wordings alone."""
    chance = random.Random(f"loop {number}{' unseen' if of is UNSEEN else ''}")
    leaving, paying, alone = (chance.choice(wordings) for wordings in of)
    days, early = chance.choice(("30", "45", "60", "75", "90")), chance.choice(("5", "7", "15", "20"))
    own = {"Termination": leaving.text, "Fees": paying.text, "Exclusivity": alone.text}
    sections = list(({title: texts[0] for title, texts in SECTIONS} | own).items())
    chance.shuffle(sections)
    text = written(chance, opening_of(chance), sections, days=days, early=early)
    terms = {"termination_for_convenience": str(leaving.truth), "payment_terms_days": days}
    return Made(text, terms, bool(alone.truth))


def _by_contract(warehouse: Path, made: dict[str, Made]) -> dict[str, Made]:
    rows = query(warehouse, "SELECT contract_id, file_name FROM documents WHERE status = 'landed'")[1]
    return {contract_id: made[name] for contract_id, name in rows if name in made}


_TERM_COLUMNS = ("contract_id", "term", "value", "absence", "quote", "evidence", "term_id", "learned")
_FLAG_COLUMNS = ("contract_id", "rule_id", "found", "quote", "severity", "status", "flag_id", "learned")


class _State(NamedTuple):
    """The terms (but for the parties) and the flags of a warehouse, by their ids."""

    terms: dict[str, dict[str, Any]]
    flags: dict[str, dict[str, Any]]


def _state(warehouse: Path) -> _State:
    terms = query(warehouse, f"SELECT {', '.join(_TERM_COLUMNS)} FROM terms WHERE term <> 'parties'")[1]
    flags = query(warehouse, f"SELECT {', '.join(_FLAG_COLUMNS)} FROM flags")[1]
    return _State(
        {row[6]: dict(zip(_TERM_COLUMNS, row, strict=True)) for row in terms},
        {row[6]: dict(zip(_FLAG_COLUMNS, row, strict=True)) for row in flags},
    )


def _decisions(warehouse: Path, truth: dict[str, Made]) -> Iterator[Decision]:
    """What the reviewer says, contract by contract: of the terms and of the rule's flags."""
    state = _state(warehouse)
    for contract_id, one in sorted(truth.items()):
        for term in state.terms.values():
            if term["contract_id"] == contract_id and term["term"] in TERMS and term["value"]:
                right = one.terms[term["term"]]
                agrees = same_value(term["term"], term["value"], right)
                said = {} if agrees else {"new_value": right, "reason_code": "wrong_interpretation"}
                yield _decision("term", term, "confirmed" if agrees else "overridden", **said)
        for flag in state.flags.values():
            if flag["contract_id"] == contract_id and flag["rule_id"] == RULE:
                said = {} if one.stands else {"reason_code": "wrong_clause"}
                yield _decision("flag", flag, "confirmed" if one.stands else "rejected", **said)


def _decision(target: str, row: dict[str, Any], decision: str, **said: str) -> Decision:
    what = {"target": target, "target_id": row[f"{target}_id"], "decision": decision, "reviewer": "Rosa"}
    return Decision(**what, **said, evidence_hash=evidence_of(target, row))


def agreements(truth: dict[str, Made], before: _State, after: _State) -> Iterator[dict[str, Any]]:
    """By field: the share of these contracts on which the warehouse says what the reviewer would."""
    bound = {id: one for id, one in truth.items() if one.terms[TERMS[0]] == "none"}
    for field in (*TERMS, FOLLOWS, RULE):
        of = bound if field == FOLLOWS else truth
        shares = [round(sum(_right(field, of, state)) / max(1, len(of)), 4) for state in (before, after)]
        yield {"field": field, "items": len(of), "before": shares[0], "after": shares[1]}


def _right(field: str, truth: dict[str, Made], state: _State) -> Iterator[bool]:
    """Whether a state is right about each contract."""
    if field == RULE:
        flags = (flag for flag in state.flags.values() if flag["rule_id"] == RULE and flag["learned"] is None)
        raised = {flag["contract_id"] for flag in flags}
        yield from ((id in raised) == one.stands for id, one in truth.items())
        return
    values = {(term["contract_id"], term["term"]): term["value"] for term in state.terms.values()}
    for id, one in truth.items():
        right = values[id, "expiration_date"] if field == FOLLOWS else one.terms[field]
        yield same_value(field, values[id, field], right)


def _changed(before: dict[str, dict], after: dict[str, dict], fields: Sequence[str]) -> int:
    """How many rows of other fields say something else, came, or went."""
    ids = before.keys() | after.keys()
    pairs = ((before.get(id), after.get(id)) for id in ids)
    told = ((one, other) for one, other in pairs if (one or other)[_field_of(one or other)] not in fields)
    return sum(one != other for one, other in told)


def _field_of(row: dict[str, Any]) -> str:
    return "term" if "term" in row else "rule_id"
