"""The morning brief: what arrived, what waits and why, what is due, and what it is worth."""

import json
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from textwrap import wrap
from typing import Any, NamedTuple

import duckdb

from schemas.base import Frozen
from warehouse.manifest import HELD_BACK
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
    held_back: Record | None = None
    unusual: tuple[Record, ...] = ()
    doubts: tuple[Record, ...] = ()

    @property
    def open_flags(self) -> int:
        return sum(self.severities.values())


def brief(root: Path) -> Brief:
    """Gather the brief from one consistent view of the warehouse. Raises WarehouseError without one."""
    held_back = Path(root) / HELD_BACK
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
            held_back=json.loads(held_back.read_text(encoding="utf-8")) if held_back.is_file() else None,
            unusual=tuple(_records(con, _UNUSUAL)),
            doubts=tuple(_records(con, _DOUBTS)),
        )
    finally:
        con.close()


class Section(NamedTuple):
    """A heading and what stands below it: for each item its lines, then how many more there are and what shows them."""

    heading: str
    items: Sequence[tuple[str, ...]] = ()
    more: int = 0
    command: str = ""


def title(brief: Brief) -> str:
    """The brief's title."""
    return f"Contract brief for {brief.business_date:%A, %d %B %Y}" if brief.business_date else "Contract brief"


def render(brief: Brief) -> str:
    """The brief as plain text for a terminal, 100 characters wide."""
    if brief.business_date is None:
        return f"{_NOTHING}\n"
    name = title(brief)
    parts = [[name, "=" * len(name), *wrap(_arrived(brief), _WIDTH)], *map(_lines, _sections(brief))]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


def markdown(brief: Brief) -> str:
    """The brief as Markdown without its title. What contracts say can't make links, pictures or mentions in it."""
    if brief.business_date is None:
        return f"{_NOTHING}\n"
    parts = [[_arrived(brief)], *map(_markdown_lines, _sections(brief))]
    return "\n\n".join("\n".join(lines) for lines in parts) + "\n"


_NOTHING = "Nothing has been landed yet: put contracts into an inbox and run `contract-agent run INBOX`."


def _sections(brief: Brief) -> list[Section]:
    second_contracts = [_second_contracts(brief)] if brief.second_contracts else []
    doubts = [section for section in (_held_back(brief), _unusual(brief)) if section]
    return [*doubts, _quarantine(brief), *second_contracts, _flags(brief), _renewals(brief), _totals(brief)]


def _lines(section: Section) -> list[str]:
    lines = [section.heading]
    for first, *below in section.items:
        lines += wrap(_line(first), _WIDTH, initial_indent="  ", subsequent_indent="    ")
        for text in below:
            lines += wrap(_line(text), _WIDTH, initial_indent="    ", subsequent_indent="    ")
    return lines + ([f"  ... and {section.more:,} more: `{section.command}`"] if section.more else [])


def _markdown_lines(section: Section) -> list[str]:
    items = [
        f"- {_plain(first)}" + "".join(f"  \n  {_plain(text)}" for text in below) for first, *below in section.items
    ]
    more = [f"- ... and {section.more:,} more: `{section.command}`"] if section.more else []
    return [f"**{section.heading}**", *([""] if items or more else []), *items, *more]


def _plain(text: str) -> str:
    """Text in which a Markdown reader, a mail program or a chat finds nothing to obey."""
    escaped = _line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = re.sub(r"[\\`*\[\]~]|(?<!\w)_|_(?!\w)", lambda found: f"\\{found[0]}", escaped)
    return re.sub(r"(?<!\w)@(?=\w)|(?<=\w)(?=://)", lambda found: f"{found[0]}\u200b", escaped)


_BUSINESS_DATE = "SELECT business_date FROM business_day"
_OF_THE_DAY = "run_id IN (SELECT r.run_id FROM runs r JOIN business_day d ON d.business_date = r.business_date)"
_UNUSUAL = f"FROM drift WHERE is_warning AND {_OF_THE_DAY}"
_DOUBTS = f"FROM gate_results WHERE found > 0 AND {_OF_THE_DAY}"
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
    return line


def _held_back(brief: Brief) -> Section | None:
    if not brief.held_back:
        return None
    heading = f"HELD BACK: the run of {brief.held_back['business_date']} was not published; what follows is older"
    items = [
        (f"{gate['checks']} Not so for {gate['found']:,}: {gate['examples']}",) for gate in brief.held_back["gates"]
    ]
    return Section(heading, items)


def _unusual(brief: Brief) -> Section | None:
    """What the gates let pass with a warning, and figures far from what they usually are."""
    items = [(f"{gate['checks']} Not so for {gate['found']:,}: {gate['examples']}",) for gate in brief.doubts]
    for row in brief.unusual[:_SHOWN]:
        name = " ".join(part for part in (row["metric"].replace("_", " "), row["part"]) if part)
        items.append((f"{name}: {row['value']:g}, usually {row['usual']:g}",))
    more = max(0, len(brief.unusual) - _SHOWN)
    return (
        Section("To look at before trusting this run", items, more, "contract-agent sql 'FROM drift'")
        if items
        else None
    )


def _quarantine(brief: Brief) -> Section:
    rows = brief.quarantine
    if not rows:
        return Section("Nothing waits in quarantine.")
    heading = f"Waiting in quarantine: {_count(len(rows), 'document')}"
    items = [(f"{row['file_name']} ({row['error_code']}): {row['error_message'] or ''}",) for row in rows[:_SHOWN]]
    return Section(heading, items, len(rows) - len(items), "contract-agent sql 'FROM quarantine'")


def _second_contracts(brief: Brief) -> Section:
    heading = "Files that seem to hold a second contract: split them if they do, only the first was read as a contract"
    rows = brief.second_contracts
    items = [(f"{row['file_name']}: one seems to begin on page {row['page_number']}",) for row in rows[:_SHOWN]]
    return Section(heading, items, len(rows) - len(items), "contract-agent sql 'FROM pages'")


def _flags(brief: Brief) -> Section:
    if not brief.flags:
        return Section("No flags to decide.")
    by_severity = ", ".join(f"{count:,} {severity}" for severity, count in brief.severities.items())
    items = []
    for row in brief.flags:
        place = f", page {row['page_number']}" if row["page_number"] else ""
        references = row["reference_titles"] or ", ".join(row["refs"] or ())
        first = f"{row['severity'].upper()} {row['rule_id']}: {_contract(row)}{place}"
        items.append((first, row["reason"], *([f"See: {references}"] if references else [])))
    more = brief.open_flags - len(items)
    return Section(f"Flags to decide: {by_severity}", items, more, "contract-agent sql 'FROM review_queue'")


def _renewals(brief: Brief) -> Section:
    if not brief.renewals:
        return Section(f"No renewal or notice deadline in the next {DAYS_AHEAD} days.")
    items = []
    for row in brief.renewals:
        what = "last day for notice" if row["event"] == "notice_deadline" else _end(row["renewal_type"])
        days = _count(row["days_left"], "day")
        worth = f", {_money(row['annual_value'], row['currency'])} a year" if row["annual_value"] else ""
        items.append((f"{row['due_date']} (in {days}) {what}: {_contract(row)}{worth}",))
    heading = f"Due in the next {DAYS_AHEAD} days: {_count(brief.renewals_ahead, 'date')}"
    return Section(heading, items, brief.renewals_ahead - len(items), "contract-agent query renewals_ahead")


def _totals(brief: Brief) -> Section:
    items = []
    for row in brief.totals:
        worth = _money(row["total_value"], row["currency"]) if row["with_value"] else "no stated value"
        annual = f", {_money(row['annual_value'], row['currency'])} a year" if row["annual_value"] else ""
        without = row["contracts"] - row["with_value"]
        note = f" ({without:,} without a stated value)" if without and row["with_value"] else ""
        items.append((f"{worth}{annual}, {_count(row['contracts'], 'contract')}{note}",))
    return Section("All contracts by currency", items) if items else Section("No contracts yet.")


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


def _line(text: str) -> str:
    """Text of a contract on one line, without the control characters that a terminal would obey."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
