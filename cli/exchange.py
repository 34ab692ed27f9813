"""What goes out to reviewers and calendars, and what comes back from them."""

from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import SettingsError, printable

if TYPE_CHECKING:
    from warehouse.decisions import Refuser


def write(root: Path, out: Path, sheet: str) -> Path:
    """Write the file that the name's ending asks for; `sheet` says what goes into a .csv or .parquet.

    Raises SettingsError for another ending, WarehouseError when it can't be written.
    """
    match out.suffix.lower():
        case ".xlsx":
            from warehouse.workbook import export

            return export(root, out)
        case ".ics":
            from warehouse.agenda import write_agenda

            return write_agenda(root, out)
        case ".csv" | ".parquet":
            from warehouse.flat_files import write_flat

            return write_flat(root, out, sheet)
    raise SettingsError(
        f"{out.name} does not say what to write.",
        help="End it in .xlsx, .ics, .csv or .parquet; a folder is not taken.",
    )


def import_report(
    root: Path, workbook: Path, reviewer: str | None, dry_run: bool, review: Path, materiality: float
) -> tuple[list[str], bool]:
    """Take a workbook's decisions; `review` is the folder of the review, which knows what is closed and has a second
    person for what needs one. Gives back what to print, and whether nothing was refused."""
    from warehouse.decisions import take
    from warehouse.workbook_import import filled_in

    taken = take(root, filled_in(workbook, reviewer), dry_run=dry_run, **_refuser(root, review, materiality))
    how = " (dry run, nothing written)" if dry_run else f" (run {taken.run_id})" if taken.run_id else ""
    lines = [f"Decisions: {taken.landed} taken{how}, {taken.known} held already, {len(taken.refusals)} refused."]
    for decision, why, help in taken.refusals:
        lines.append(printable(f"{decision.sheet} row {decision.row}, {decision.target_id or 'no id'}: {why}."))
        lines.append(printable(f"  {help}"))
    return lines, not taken.refusals


def _refuser(root: Path, review: Path, materiality: float) -> dict[str, "Refuser"]:
    """What refuses decisions on contracts that are signed off or of a locked period, and those that two people have to
    make, where there was a review."""
    from functools import partial

    from review.actions import why_not_alone
    from review.facts import PublishedFacts
    from review.store import FILE_NAME, Store

    if not (review / FILE_NAME).is_file():
        return {}
    return {"refuse": partial(why_not_alone, Store(review), PublishedFacts(root), materiality)}
