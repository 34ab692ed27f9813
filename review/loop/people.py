"""Two people: what one proposed, another approves; both stand in the audit."""

from pathlib import Path

from schemas.learned import LearnedError
from warehouse.read import query


def second_person(root: Path, action: str, subject: str, approver: str) -> str:
    """Who proposed it last, by the audit, where one line may name several subjects.

    Raises LearnedError when nobody did, or the approver did.
    """
    sql = """SELECT actor FROM audit WHERE action = $action AND list_contains(string_split(subject, ' '), $subject)
        ORDER BY number DESC LIMIT 1"""
    rows = query(root, sql, {"action": action, "subject": subject})[1]
    if not rows:
        raise LearnedError(
            f"Nobody proposed {subject} in this warehouse.",
            help="Propose it first, or name the warehouse it was proposed in with --warehouse.",
            code="second_person",
        )
    ((by,),) = rows
    if by.casefold() == approver.casefold():
        raise LearnedError(f"{approver} proposed it, so another person has to approve.", code="second_person")
    return by
