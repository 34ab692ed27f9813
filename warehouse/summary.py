"""One contract on a page: who, what for, how much, how long, how it ends, who owes what, and what to look at.

Every sentence is built from rows that stand in the warehouse and carries the page it rests on; what was not found is
said to be missing. Nothing is worded by a model.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.errors import WarehouseError
from warehouse.read import query

NOTICE = "Drawn up by a program from the contract's text. It is no legal advice; read the pages that are cited."
_TITLES = {"critical": "Critical", "high": "High", "medium": "Medium", "low": "Low"}
_SENTENCES = (
    ("Term", "effective_date", "It takes effect on {}."),
    ("Term", "initial_term_months", "The initial term is {} months."),
    ("Term", "expiration_date", "The initial term ends on {}."),
    ("Term", "renewal_type", "Renewal: {}."),
    ("Term", "renewal_notice_days", "Notice against renewal is due {} days before the end."),
    ("Term", "notice_deadline", "The last day for that notice is {}."),
    ("Termination", "termination_for_convenience", "Who may leave without cause: {}."),
    ("Termination", "termination_notice_days", "That takes {} days of notice."),
    ("Termination", "termination_fee", "Leaving early costs {}."),
    ("Money", "total_value", "The fixed fees of the initial term are {}."),
    ("Money", "annual_value", "A year of recurring fees is {}."),
    ("Money", "payment_terms_days", "Invoices are due after {} days."),
    ("Money", "billing_frequency", "Billing: {}."),
    ("Money", "price_increase_type", "Price increases: {}."),
    ("Risk", "liability_cap_type", "Cap on liability: {}."),
    ("Risk", "liability_cap_months", "The cap is {} months of fees."),
    ("Risk", "liability_cap_amount", "The cap is {}."),
    ("Risk", "governing_law", "The law of {} governs."),
)
MOST = 8
"""Obligations that the page lists; the table has all."""


def summary(root: Path, name: str) -> str:
    """The page as Markdown; `name` is a contract_id or a file name. Raises WarehouseError when there is none."""
    _, found = query(
        root,
        """SELECT c.contract_id, c.title, c.counterparty, c.our_role, d.file_name FROM contracts c
        JOIN documents d USING (document_id) WHERE $name IN (c.contract_id, d.file_name, d.source_uri)""",
        {"name": name},
    )
    if not found:
        raise WarehouseError(
            f"There is no contract {name}.", help="Give a contract_id or a file name of the warehouse."
        )
    contract_id, title, other, role, file_name = found[0]
    lines = [f"# {title or file_name}", "", f"{other or 'Other party not known'}; our side: {role or 'not known'}.", ""]
    lines += _of_terms(_rows(root, "SELECT * FROM terms WHERE contract_id = $id AND absence IS NULL", contract_id))
    due = """SELECT * FROM obligations WHERE contract_id = $id AND party IS NOT NULL
        ORDER BY due_date NULLS LAST, page_number"""
    lines += _of_obligations(_rows(root, due, contract_id))
    flags = """SELECT * FROM flags WHERE contract_id = $id AND status = 'proposed'
        ORDER BY list_position(['critical', 'high', 'medium', 'low'], severity), rule_id"""
    lines += _of_flags(_rows(root, flags, contract_id))
    return "\n".join([*lines, "---", "", f"*{NOTICE}*", ""])


def _rows(root: Path, sql: str, contract_id: str) -> list[dict[str, Any]]:
    names, rows = query(root, sql, {"id": contract_id})
    return [dict(zip(names, row, strict=True)) for row in rows]


def _of_terms(rows: list[dict[str, Any]]) -> Iterator[str]:
    by_name = {row["term"]: row for row in reversed(rows)}
    for part in dict.fromkeys(part for part, _, _ in _SENTENCES):
        said = [_sentence(by_name.get(name), text) for heading, name, text in _SENTENCES if heading == part]
        yield f"## {part}"
        yield ""
        yield from [f"- {sentence}" for sentence in said if sentence] or ["- Nothing was found in the text."]
        yield ""


def _sentence(row: dict[str, Any] | None, text: str) -> str | None:
    if row is None:
        return None
    value = (row["value"] or "").replace("_", " ")
    doubt = " Not proven by a quotation." if row["evidence"] == "unverified" else ""
    return f"{text.format(value)}{doubt} {_cited(row)}"


def _cited(row: dict[str, Any]) -> str:
    if not row.get("quote"):
        return "(worked out; no words of its own)"
    quote = " ".join(row["quote"].split())
    page = f"page {row['page_number']}" if row.get("page_number") else "page not found"
    return f'({page}: "{quote[:160]}{"..." if len(quote) > 160 else ""}")'


def _of_obligations(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield from ("## Main obligations", "")
    for row in rows[:MOST]:
        when = f" by {row['due_date']}" if row["due_date"] else ""
        yield f"- {row['party']} has to {row['obligation'].rstrip('.')}{when}. {_cited(row)}"
    if not rows:
        yield "- None with a date or a time limit was found."
    elif len(rows) > MOST:
        yield f"- {len(rows) - MOST} more stand in the table `obligations`."
    yield ""


def _of_flags(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield from ("## What departs from our standard", "")
    for row in rows:
        cited = f" {_cited(row)}" if row["quote"] else ""
        yield f"- {_TITLES[row['severity']]}, {row['rule_id']}: {row['reason']}{cited}"
    if not rows:
        yield "- Nothing was flagged."
    yield ""
