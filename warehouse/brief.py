"""The morning brief: what arrived, what waits and why, what is due, and what it is worth."""

from datetime import date
from pathlib import Path
from textwrap import wrap
from typing import Any

import duckdb

from schemas.base import Frozen
from warehouse.read import connect

TOP_FLAGS = 10
DAYS_AHEAD = 90
_WIDTH = 100
_SHOWN = 10

Record = dict[str, Any]


class Brief(Frozen):
    """The data of a brief; records have the columns of the views they come from.

    `figures` maps section and metric of `morning_brief` to its value. `business_date` is None before the
    first run. `flags` and `renewals` are the first of `open_flags` and `renewals_ahead` ones.
    """

    business_date: date | None
    figures: dict[str, dict[str, float]]
    quarantine: tuple[Record, ...]
    second_contracts: tuple[Record, ...]
    severities: dict[str, int]
    flags: tuple[Record, ...]
    renewals: tuple[Record, ...]
    renewals_ahead: int
    totals: tuple[Record, ...]

    @property
    def open_flags(self) -> int:
        return sum(self.severities.values())


def brief(root: Path) -> Brief:
    """Gather the brief from one consistent view of the warehouse. Raises WarehouseError without one."""
    con = connect(root)
    try:
        figures: dict[str, dict[str, float]] = {}
        for row in _records(con, "SELECT section, metric, value FROM morning_brief WHERE section <> 'value'"):
            figures.setdefault(row["section"], {})[row["metric"]] = row["value"]
        renewals = _records(con, f"FROM renewals WHERE days_left <= {DAYS_AHEAD}")
        return Brief(
            business_date=_records(con, _BUSINESS_DATE)[0]["business_date"],
            figures=figures,
            quarantine=tuple(_records(con, "FROM quarantine")),
            second_contracts=tuple(_records(con, _SECOND_CONTRACTS)),
            severities={row["severity"]: row["flags"] for row in _records(con, _SEVERITIES)},
            flags=tuple(_records(con, _FLAGS)),
            renewals=tuple(renewals[:_SHOWN]),
            renewals_ahead=len(renewals),
            totals=tuple(_records(con, _TOTALS)),
        )
    finally:
        con.close()


def render(brief: Brief) -> str:
    """The brief as plain text for a terminal, 100 characters wide."""
    if brief.business_date is None:
        return "Nothing has been landed yet: put contracts into an inbox and run `contract-agent run INBOX`.\n"
    title = f"Contract brief for {brief.business_date:%A, %d %B %Y}"
    parts = [
        [title, "=" * len(title), _arrived(brief)],
        _quarantine(brief),
        *([_second_contracts(brief)] if brief.second_contracts else []),
        _flags(brief),
        _renewals(brief),
        _totals(brief),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


_BUSINESS_DATE = "SELECT business_date FROM business_day"
_SECOND_CONTRACTS = """
SELECT d.file_name, p.page_number FROM pages p JOIN documents d USING (document_id)
WHERE list_contains(p.warnings, 'second_contract') AND d.status = 'landed' ORDER BY d.file_name, p.page_number
"""
_SEVERITIES = """
SELECT severity, count(*) AS flags FROM review_queue GROUP BY severity
ORDER BY CASE severity WHEN 'critical' THEN 1 WHEN 'high' THEN 2 WHEN 'medium' THEN 3 ELSE 4 END
"""
_FLAGS = f"""
SELECT q.*, n.reference_titles FROM review_queue q LEFT JOIN nonstandard_terms n ON n.flag_id = q.flag_id
ORDER BY q.priority DESC, q.contract_id, q.rule_id, q.flag_id LIMIT {TOP_FLAGS}
"""
_TOTALS = """
SELECT currency, count(*) AS contracts, count(total_value) AS with_value, sum(total_value) AS total_value,
    sum(annual_value) AS annual_value
FROM agreements GROUP BY currency ORDER BY total_value DESC NULLS LAST, currency
"""


def _records(con: duckdb.DuckDBPyConnection, sql: str) -> list[Record]:
    rows = con.execute(sql).fetchall()
    names = [column[0] for column in con.description or ()]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _arrived(brief: Brief) -> str:
    arrived = {name: int(value) for name, value in brief.figures["arrived"].items()}
    run = brief.figures["run"]
    line = f"Arrived: {_count(arrived['documents'], 'document')}, {_count(arrived['contracts'], 'contract')}, "
    line += f"{_count(int(run['pages']), 'page')}, in {run['seconds']:,.0f} seconds."
    if arrived["duplicates"] or arrived["quarantined"]:
        line += f" {_count(arrived['duplicates'], 'duplicate')}, {arrived['quarantined']:,} in quarantine."
    if arrived["changes"]:
        line += f" {_count(arrived['changes'], 'value')} differ from the version before."
    return "\n".join(wrap(line, _WIDTH))


def _quarantine(brief: Brief) -> list[str]:
    if not brief.quarantine:
        return ["Nothing waits in quarantine."]
    lines = [f"Waiting in quarantine: {_count(len(brief.quarantine), 'document')}"]
    for row in brief.quarantine[:_SHOWN]:
        lines += _item(f"{row['file_name']} ({row['error_code']}): {row['error_message'] or ''}")
    return lines + _rest(len(brief.quarantine), _SHOWN, "contract-agent sql 'FROM quarantine'")


def _second_contracts(brief: Brief) -> list[str]:
    lines = ["Files that seem to hold a second contract: split them if they do, only the first was read as a contract"]
    for row in brief.second_contracts[:_SHOWN]:
        lines += _item(f"{row['file_name']}: one seems to begin on page {row['page_number']}")
    return lines + _rest(len(brief.second_contracts), _SHOWN, "contract-agent sql 'FROM pages'")


def _flags(brief: Brief) -> list[str]:
    if not brief.flags:
        return ["No flags to decide."]
    by_severity = ", ".join(f"{count:,} {severity}" for severity, count in brief.severities.items())
    lines = [f"Flags to decide: {by_severity}"]
    for row in brief.flags:
        place = f", page {row['page_number']}" if row["page_number"] else ""
        lines += _item(f"{row['severity'].upper()} {row['rule_id']}: {_contract(row)}{place}")
        lines += _below(row["reason"])
        references = row["reference_titles"] or ", ".join(row["refs"] or ())
        lines += _below(f"See: {references}") if references else []
    return lines + _rest(brief.open_flags, len(brief.flags), "contract-agent sql 'FROM review_queue'")


def _renewals(brief: Brief) -> list[str]:
    if not brief.renewals:
        return [f"No renewal or notice deadline in the next {DAYS_AHEAD} days."]
    lines = [f"Due in the next {DAYS_AHEAD} days: {_count(brief.renewals_ahead, 'date')}"]
    for row in brief.renewals:
        what = "last day for notice" if row["event"] == "notice_deadline" else _end(row["renewal_type"])
        days = _count(row["days_left"], "day")
        worth = f", {_money(row['annual_value'], row['currency'])} a year" if row["annual_value"] else ""
        lines += _item(f"{row['due_date']} (in {days}) {what}: {_contract(row)}{worth}")
    return lines + _rest(brief.renewals_ahead, len(brief.renewals), "contract-agent query renewals_ahead")


def _totals(brief: Brief) -> list[str]:
    lines = ["All contracts by currency"]
    for row in brief.totals:
        worth = _money(row["total_value"], row["currency"]) if row["with_value"] else "no stated value"
        annual = f", {_money(row['annual_value'], row['currency'])} a year" if row["annual_value"] else ""
        without = row["contracts"] - row["with_value"]
        note = f" ({without:,} without a stated value)" if without and row["with_value"] else ""
        lines += _item(f"{worth}{annual}, {_count(row['contracts'], 'contract')}{note}")
    return lines if brief.totals else ["No contracts yet."]


def _end(renewal_type: str | None) -> str:
    return {"auto": "renews by itself", "optional": "ends unless renewed", "none": "ends"}.get(
        renewal_type or "", "period ends"
    )


def _contract(row: Record) -> str:
    name = row["title"] or row.get("file_name") or row["contract_id"]
    return f"{name} ({row['counterparty']})" if row["counterparty"] else name


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _money(amount: Any, currency: str | None) -> str:
    return f"{currency or 'currency unknown'} {amount:,.2f}"


def _item(text: str) -> list[str]:
    return wrap(_line(text), _WIDTH, initial_indent="  ", subsequent_indent="    ")


def _below(text: str) -> list[str]:
    return wrap(_line(text), _WIDTH, initial_indent="    ", subsequent_indent="    ")


def _line(text: str) -> str:
    """Text of a contract on one line, without the control characters that a terminal would obey."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _rest(all: int, shown: int, command: str) -> list[str]:
    return [f"  ... and {all - shown:,} more: `{command}`"] if all > shown else []
