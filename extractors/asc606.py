"""Beside `flag`: which topics of ASC 606 a contract raises, as proposals for a person to confirm.

The topics and their paragraphs stand in `playbooks/asc606.yaml`; paragraphs are keys of the references.
"""

from extractors.predicates import Facts, Hit, fill, holds, in_scope
from schemas.contract import AscTopic, Clause, Extraction
from schemas.document import Document
from schemas.playbook import AscCase, AscRule, Playbook


def asc606(
    extraction: Extraction, document: Document, playbook: Playbook, facts: Facts | None = None
) -> tuple[AscTopic, ...]:
    """One row for each topic that the contract implies, in the order of the topics' file.

    Contracts in which we sell raise the topics of ASC 606; those in which we buy raise `BUY SIDE` alone.
    Where our side is not known, and for NDAs, there are none.
    """
    facts = facts or Facts(extraction, document, playbook.library)
    rows = (_topic(rule, facts) for rule in playbook.topics if in_scope(rule, facts))
    return tuple(row for row in rows if row is not None)


def _topic(rule: AscRule, facts: Facts) -> AscTopic | None:
    for case in rule.when:
        hit = holds(case.if_, facts)
        if hit:
            return _row(rule, case, hit, facts)
    return None


def _row(rule: AscRule, case: AscCase, hit: Hit, facts: Facts) -> AscTopic:
    trigger = hit.trigger
    return AscTopic(
        topic=rule.topic,
        proposal=fill(case.proposal, hit, facts),
        reason=fill(case.reason, hit, facts),
        paragraphs=case.paragraphs,
        quote=trigger.text if isinstance(trigger, Clause) else trigger.quote if trigger else None,
        citation=trigger.citation if trigger else None,
    )
