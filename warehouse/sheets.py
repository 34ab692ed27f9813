"""The sheets of the morning: what each shows, and which of them take decisions."""

from schemas.base import Frozen
from schemas.review import TargetName


class Sheet(Frozen):
    """A sheet's rows as SQL. `target` is what a row of it decides on, None where there is nothing to decide.

    A sheet with `document_id` and `page_number` links to the page. One that takes decisions shows the id of its target
    and the columns that the target's evidence is known by.
    """

    sql: str
    target: TargetName | None = None


SHEETS: dict[str, Sheet] = {
    "Brief": Sheet(sql="SELECT * FROM morning_brief"),
    "Queue": Sheet(sql="SELECT * FROM review_queue", target="flag"),
    "Contracts": Sheet(sql="SELECT * FROM contracts ORDER BY counterparty, title, contract_id"),
    "Non-standard": Sheet(sql="SELECT * EXCLUDE (x0, y0, x1, y1) FROM nonstandard_terms", target="flag"),
    "ASC 606": Sheet(sql="SELECT * FROM asc606_checklist", target="asc606"),
    "Obligations": Sheet(
        sql="""SELECT c.title, c.counterparty, o.*, c.document_id FROM obligations o
        LEFT JOIN contracts c ON c.contract_id = o.contract_id ORDER BY o.due_date, c.title, o.obligation"""
    ),
    "Renewals": Sheet(sql="SELECT * FROM renewals"),
    "Billing": Sheet(
        sql="""SELECT c.title, c.counterparty, b.* FROM billing_schedule b
        LEFT JOIN contracts c ON c.contract_id = b.contract_id ORDER BY b.due_date, c.title"""
    ),
    "Changes": Sheet(sql="SELECT * FROM changes_since_last_run"),
    "Overrides": Sheet(
        sql="""SELECT r.decided_at, r.reviewer, c.title, c.counterparty, r.target,
            coalesce(t.term, f.rule_id, a.topic) AS field, r.old_value, r.new_value, r.reason_code, r.comment,
            coalesce(t.quote, f.quote, a.quote) AS quote,
            coalesce(t.page_number, f.page_number, a.page_number) AS page_number, r.target_id, r.contract_id,
            coalesce(t.document_id, f.document_id, a.document_id) AS document_id, r.review_id
        FROM reviews r LEFT JOIN contracts c ON c.contract_id = r.contract_id
        LEFT JOIN terms t ON r.target = 'term' AND t.term_id = r.target_id
        LEFT JOIN flags f ON r.target = 'flag' AND f.flag_id = r.target_id
        LEFT JOIN asc606 a ON r.target = 'asc606' AND a.asc606_id = r.target_id
        WHERE r.decision = 'overridden' ORDER BY r.decided_at DESC, c.title, field, r.review_id"""
    ),
    "Sources": Sheet(
        sql="""SELECT c.title, c.counterparty, t.term, t.value, t.unit, t.absence, t.quote, t.page_number,
            d.file_name, t.evidence, t.match_score, t.confidence, t.extractor, t.model,
            coalesce(r.decision, 'proposed') AS status, t.term_id, t.contract_id, t.document_id
        FROM terms t LEFT JOIN contracts c ON c.contract_id = t.contract_id
        LEFT JOIN documents d ON d.document_id = t.document_id
        LEFT JOIN (
            SELECT target_id, nullif(arg_max(decision, decided_at), 'withdrawn') AS decision
            FROM reviews WHERE target = 'term' GROUP BY target_id
        ) r ON r.target_id = t.term_id
        ORDER BY c.counterparty, c.title, t.contract_id, t.term, t.term_id""",
        target="term",
    ),
}
"""Name of each sheet -> what it shows."""
