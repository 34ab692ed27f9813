"""The dates of the contracts as an iCalendar file (RFC 5545): notice deadlines, ends, obligations with a day.

Each is an event of a whole day with a reminder before it. A notice deadline on a Saturday or Sunday keeps its date; its
event stands on the working day before, and says so. Public holidays are not known here.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from icalendar import Alarm, Calendar, Event

from schemas.errors import WarehouseError
from warehouse.manifest import settle
from warehouse.read import connect

_EVENTS = """
SELECT event, due_date, title, counterparty, contract_id, renewal_notice_days AS notice, NULL AS quote FROM renewals
UNION ALL
SELECT 'obligation', o.due_date, c.title, c.counterparty, o.contract_id, NULL, o.party || ': ' || o.obligation
FROM obligations o JOIN contracts c USING (contract_id)
WHERE o.due_date >= (SELECT today FROM business_day) AND o.party IS NOT NULL
ORDER BY due_date, contract_id, event
"""
_NAMES = {"notice_deadline": "Last day to give notice", "period_end": "Contract period ends", "obligation": "Due"}
_REMIND = {"notice_deadline": 14, "period_end": 30, "obligation": 7}
"""Days before an event on which the calendar reminds."""


def write_agenda(root: Path, path: Path) -> Path:
    """Write the calendar and give back its path. Raises WarehouseError when it can't be written."""
    path = Path(path).absolute()
    if path.is_dir() or not path.parent.is_dir():
        raise WarehouseError(
            f"{path} can't be written.", help="Give a file name ending in .ics in a folder that exists."
        )
    con = connect(root)
    try:
        found = con.execute(_EVENTS)
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    finally:
        con.close()
    built = path.with_name(f".{path.name}-{uuid4().hex}.tmp")
    built.write_bytes(_calendar(rows).to_ical())
    settle(built, path)
    return path


def _calendar(rows: list[dict[str, Any]]) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//contract-data-agent//renewals//EN")
    calendar.add("version", "2.0")
    for event in _events(rows):
        calendar.add_component(event)
    return calendar


def _events(rows: list[dict[str, Any]]) -> Iterator[Event]:
    for row in rows:
        day = working_day(row["due_date"])
        event = Event()
        event.add("uid", f"{row['contract_id']}-{row['event']}-{row['due_date']:%Y%m%d}@contract-data-agent")
        event.add("dtstamp", datetime(2000, 1, 1))
        event.add("dtstart", day)
        event.add("dtend", day + timedelta(days=1))
        event.add(
            "summary", f"{_NAMES[row['event']]}: {row['title']} ({row['counterparty'] or 'other party not known'})"
        )
        event.add("description", _description(row, day))
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", _NAMES[row["event"]])
        alarm.add("trigger", timedelta(days=-_REMIND[row["event"]]))
        event.add_component(alarm)
        yield event


def _description(row: dict[str, Any], day: date) -> str:
    said = [f"Date by the contract: {row['due_date']:%Y-%m-%d}."]
    if day != row["due_date"]:
        said.append("That is no working day; the reminder stands on the one before, the date does not move.")
    if row["notice"]:
        said.append(f"Notice of {row['notice']} calendar days before the period ends.")
    return " ".join([*said, row["quote"] or "", f"Contract {row['contract_id']}."]).replace("  ", " ")


def working_day(day: date) -> date:
    """The day itself, or the Friday before a weekend."""
    return day - timedelta(days=max(0, day.weekday() - 4))
