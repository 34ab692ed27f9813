"""The clause types of finance that no public data labels: found by heading and by telling phrases.

A phrase alone must be unmistakable; a heading alone takes its whole section. Each pattern has words that call
it off, since most of these words stand in other clauses too.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from extractors.engines.view import LONGEST_QUOTE
from extractors.values import pattern
from schemas.contract import Chunk, Clause


class ClauseRule(NamedTuple):
    """How a clause type is told: its headings, its phrases, and what calls a phrase off."""

    clause_type: str
    heading: re.Pattern[str]
    phrase: re.Pattern[str]
    unless: re.Pattern[str] | None = None


def _rule(clause_type: str, heading: str, phrase: str, unless: str | None = None) -> ClauseRule:
    return ClauseRule(clause_type, pattern(heading), pattern(phrase), pattern(unless) if unless else None)


RULES: tuple[ClauseRule, ...] = (
    _rule(
        "payment_terms",
        r"\bpayment(?: terms)?\b|\bterms of payment\b|支払",
        r"\b(?:invoices?|fees|amounts?|charges|payments?)\b[^.;]{0,90}\b(?:due|payable|paid|pay)\b[^.;]{0,80}\bdays\b|"
        r"\bpay\b[^.;]{0,100}\bwithin\b[^.;]{0,40}\bdays\b|\bnet[\s-]*(?:[a-z]+ \()?\d+|\b(?:due|payable) (?:up)?on receipt|支払(?:う|期限)",
        r"\brefund|\boverdue\b|\bpast due\b|\breimburse",
    ),
    _rule(
        "billing",
        r"\binvoic\w+\b|\bbilling\b|請求",
        r"\b(?:shall|will|may|is|are) (?:be )?(?:invoice|invoiced|bill|billed)\b|\binvoices? (?:shall|will) be (?:issued|sent|submitted)",
    ),
    _rule(
        "fees",
        r"\bfees?\b|\bpric(?:e|es|ing)\b|\bcharges\b|\bcompensation\b|\bconsideration\b|料金|代金|報酬",
        r"\b(?:annual|monthly|total|subscription|licen[cs]e|service|fixed|purchase)\b[^.;]{0,40}\b(?:fees?|price|charges?)\b[^.;]{0,80}"
        r"(?:\$|USD|EUR|GBP|€|£|¥)\s*\d",
    ),
    _rule(
        "late_fee",
        r"\blate (?:payment|fee|charge)s?\b|\binterest\b|遅延損害金",
        r"\b(?:late|overdue|past due|unpaid)\b[^.;]{0,160}\b(?:interest|late (?:fee|charge)|per month|per annum)|"
        r"\binterest\b[^.;]{0,100}\b(?:overdue|late|past due|unpaid|not paid)\b",
    ),
    _rule(
        "discount",
        r"\bdiscounts?\b",
        r"\bdiscount\w*\b[^.;]{0,80}\d+(?:\.\d+)?\s*%|\d+(?:\.\d+)?\s*%[^.;]{0,50}\bdiscount",
    ),
    _rule(
        "price_increase",
        r"\bprice (?:increase|adjustment|change|protection)s?\b|\bfee (?:increase|adjustment)s?\b|\buplift\b",
        r"\b(?:increase|raise|adjust|uplift)\w*\b[^.;]{0,80}\b(?:prices?|fees?|rates?|charges?|pricing)\b|"
        r"\b(?:prices?|fees?|rates?|charges?|pricing)\b[^.;]{0,80}\b(?:increase|raised?|uplift|adjust)\w*\b",
        r"\binterest rate|\bheadcount|\binsurance|\bpremium",
    ),
    _rule(
        "refund",
        r"\brefunds?\b|返金",
        r"\brefund(?:s|ed|able)?\b|\bmoney[- ]back\b|\bnon-?refundable\b|\brepay (?:to )?(?:customer|client|the)\b",
    ),
    _rule(
        "acceptance",
        r"\bacceptance\b|\binspection\b|検収",
        r"\b(?:deemed|acceptance|accept|accepted|reject)\b[^.;]{0,100}\b(?:deliverables?|goods|products?|services?|work|software|equipment)\b|"
        r"\b(?:deliverables?|goods|products?|work|software)\b[^.;]{0,120}\b(?:accepted|acceptance|reject\w*)\b|検収",
        r"\baccept\w* (?:of )?(?:this|the terms|these)|\bpurchase orders? (?:is|are|shall be) (?:accepted|binding)|\bassign",
    ),
    _rule(
        "service_credits",
        r"\bservice (?:level )?credits?\b|\bservice levels?\b|\bSLA\b",
        r"\bservice (?:level )?credits?\b|\bcredits?\b[^.;]{0,80}\b(?:uptime|availability|downtime)\b",
    ),
    _rule(
        "warranty",
        r"\bwarrant(?:y|ies)\b|保証",
        r"\b(?:warrants|warranty|warrant that|represents and warrants)\b",
    ),
    _rule("indemnity", r"\bindemni\w+\b|補償", r"\bindemnif(?:y|ies|ied)\b|\bhold (?:\w+ ){0,4}harmless\b"),
    _rule(
        "confidentiality",
        r"\bconfidential\w*\b|\bnon-?disclosure\b|秘密保持|機密",
        r"\b(?:confidential information)\b[^.;]{0,160}\b(?:shall|will|must|not|means)\b|秘密情報",
    ),
    _rule(
        "delivery",
        r"\bdelivery\b|\bshipment\b|\bshipping\b|\btitle and risk\b|引渡|納入",
        r"\b(?:risk of loss|title)\b[^.;]{0,80}\bpass|\bincoterms\b|\b(?:FOB|EXW|DDP|DAP|FCA|CIF)\b|\bshall (?:be )?deliver(?:ed)?\b",
    ),
    _rule(
        "suspension",
        r"\bsuspension\b",
        r"\bsuspend\b[^.;]{0,80}\b(?:services?|access|performance|deliver\w*|licen[cs]e)\b",
    ),
    _rule(
        "termination_for_cause",
        r"\btermination (?:for )?(?:cause|breach|default)\b|\btermination\b|解除",
        r"\bterminat\w+\b[^.;]{0,160}\b(?:material(?:ly)? breach|breach\w*|default|insolven|bankrupt)|解除",
        r"\bconvenience\b",
    ),
    _rule(
        "dispute_resolution",
        r"\bdisputes?\b|\barbitration\b|\bjurisdiction\b|\bvenue\b|管轄|紛争",
        r"\barbitrat(?:ion|ed|or)\b|\b(?:exclusive )?jurisdiction\b[^.;]{0,60}\bcourts?\b|\bcourts?\b[^.;]{0,60}\b(?:exclusive )?jurisdiction\b|"
        r"\bmediation\b|管轄裁判所",
    ),
    _rule(
        "order_of_precedence",
        r"\border of precedence\b|\bprecedence\b|\bconflict\b",
        r"\b(?:conflict|inconsisten\w+)\b[^.;]{0,160}\b(?:prevail|control|precedence|govern|supersede)|\bprevails? over\b|\border of precedence\b",
    ),
    _rule(
        "entire_agreement",
        r"\bentire (?:agreement|understanding|contract)\b|完全合意",
        r"\bentire (?:agreement|understanding|contract)\b|完全(?:なる|な)?合意",
    ),
    _rule(
        "data_protection",
        r"\bdata (?:protection|processing|privacy|security)\b|\bprivacy\b|個人情報",
        r"\b(?:GDPR|personal data|personal information|data protection law|data processing (?:agreement|addendum))\b|個人情報",
    ),
    _rule(
        "publicity",
        r"\bpublicity\b|\bpress\b|\bmarketing\b|\breference\b",
        r"\bpress releases?\b|\b(?:use|display)\b[^.;]{0,60}\b(?:name|logo|trade ?marks?)\b[^.;]{0,80}\b(?:customer list|website|marketing|"
        r"publicity|promotion\w*|reference)\b|\bcase stud(?:y|ies)\b|\bpublic(?:ity| announcement)",
    ),
)


def clauses(text: str, chunks: Sequence[Chunk], spans: Sequence[tuple[int, int]]) -> Iterable[Clause]:
    """The finance clauses of a document: one a run of neighbouring sentences of the same chunk."""
    by_chunk = _spans_by_chunk(chunks, spans)
    for rule in RULES:
        for chunk, inside in zip(chunks, by_chunk, strict=True):
            yield from _in_chunk(rule, text, chunk, inside)


def _spans_by_chunk(chunks: Sequence[Chunk], spans: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    found: list[list[tuple[int, int]]] = [[] for _ in chunks]
    position = 0
    for span in spans:
        while position + 1 < len(chunks) and span[0] >= chunks[position].end:
            position += 1
        if chunks:
            found[position].append(span)
    return found


def _in_chunk(rule: ClauseRule, text: str, chunk: Chunk, spans: list[tuple[int, int]]) -> Iterable[Clause]:
    headed = bool(chunk.heading_path) and bool(rule.heading.search(chunk.heading_path[-1]))
    run: tuple[int, int] | None = None
    for start, end in [*spans, (chunk.end + 10_000, chunk.end + 10_000)]:
        hit = start < chunk.end and _hits(rule, text[start:end])
        if hit and run and start - run[1] < LONGEST_QUOTE // 2:
            run = (run[0], end)
            continue
        if run:
            yield _clause(rule, text, chunk, run, 0.85 if headed else 0.6)
            run = None
        if hit:
            run = (start, end)


def _hits(rule: ClauseRule, sentence: str) -> bool:
    return bool(rule.phrase.search(sentence)) and not (rule.unless and rule.unless.search(sentence))


def _clause(rule: ClauseRule, text: str, chunk: Chunk, run: tuple[int, int], confidence: float) -> Clause:
    return Clause(
        clause_type=rule.clause_type,
        text=text[run[0] : run[1]],
        heading=chunk.heading_path[-1] if chunk.heading_path else None,
        start=run[0],
        confidence=confidence,
    )
