"""Clauses found by heading and by telling phrases: the finance types that no public data labels, and the few of
CUAD's whose words are unmistakable and which the trained model sees too seldom to know well.

A phrase alone must be unmistakable; a heading alone takes its whole section. Each pattern has words that call
it off, since most of these words stand in other clauses too.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from extractors.chunk import heading_of
from extractors.engines.view import LONGEST_QUOTE
from extractors.values import pattern
from schemas.contract import Clause


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
        "change_of_control",
        r"\bchange (?:of|in) control\b",
        r"\bchange (?:of|in) control\b[^.;]{0,200}\b(?:terminat|consent|assign|notice|notify)|\b(?:terminat|consent|assign)\w*[^.;]{0,200}"
        r"\bchange (?:of|in) control\b",
        r"\bmeans\b",
    ),
    _rule(
        "most_favored_nation",
        r"\bmost[- ]favou?red\b",
        r"\bmost[- ]favou?red\b|\b(?:no less|not less|at least as) favou?rable\b[^.;]{0,120}\b(?:other|any) (?:\w+ )?(?:customer|client|licensee|"
        r"buyer|purchaser|party)|\blower (?:price|fee|rate)s?\b[^.;]{0,120}\b(?:other|another|any) (?:\w+ )?(?:customer|client|buyer)",
        r"\bnot agreed\b|\bno obligation\b|\bnot given\b|\bdoes not\b|\bnot promise",
    ),
    _rule(
        "exclusivity",
        r"^[\d. ]*(?:exclusivity|exclusive (?:appointment|rights?|dealing))$",
        r"\b(?:sole and exclusive|exclusive)\b[^.;]{0,60}\b(?:reseller|distributor|supplier|provider|agent|licen[cs]ee|appointment|dealer|right to "
        r"(?:sell|distribute|market|supply)|territory|basis)\b|\b(?:shall|will) (?:neither|not) (?:appoint|engage|purchase from|buy from|sell to)\b"
        r"[^.;]{0,100}\b(?:other|any|third)",
        r"^(?!.*\b(?:appoint|grant|shall|will|agree|undertak)\w*)|\bnon-?exclusiv|\bnot (?:be )?(?:the )?exclusiv|\bexclusive (?:jurisdiction|remed|propert|owner|venue|right, title)|\bnothing in\b|"
        r"\bno exclusiv",
    ),
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
        r"\bservice (?:level )?credits?\b|\bcredits?\b[^.;]{0,80}\b(?:uptime|availability|downtime)\b|\b(?:uptime|availability|response time)"
        r"\b[^.;]{0,140}\bcredit\b",
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


class Section(NamedTuple):
    """The sentences under one heading."""

    heading: str
    spans: tuple[tuple[int, int], ...]


def clauses(text: str, spans: Sequence[tuple[int, int]], known: Sequence[Clause] = ()) -> Iterable[Clause]:
    """The clauses of a document: a section whose heading names the type, or a run of telling sentences.

    Where a clause of the same type is `known` already, it is not told again.
    """
    for clause in _told(text, spans):
        if not any(_overlap(clause, other) for other in known if other.clause_type == clause.clause_type):
            yield clause


def _overlap(a: Clause, b: Clause) -> bool:
    return a.start < b.start + len(b.text) and b.start < a.start + len(a.text)


def _told(text: str, spans: Sequence[tuple[int, int]]) -> Iterable[Clause]:
    for section in _sections(text, spans):
        for rule in RULES:
            yield from _in_section(rule, text, section)


def _sections(text: str, spans: Sequence[tuple[int, int]]) -> Iterable[Section]:
    heading, inside = "", []
    for span in spans:
        if found := heading_of(text[span[0] : span[1]]):
            if inside:
                yield Section(heading, tuple(inside))
            heading, inside = found[1], []
        inside.append(span)
    if inside:
        yield Section(heading, tuple(inside))


def _in_section(rule: ClauseRule, text: str, section: Section) -> Iterable[Clause]:
    named = bool(rule.heading.search(section.heading))
    run: tuple[int, int] | None = None
    for start, end in section.spans:
        if not (named or _hits(rule, text[start:end])):
            continue
        if run and start - run[1] < LONGEST_QUOTE // 2:
            run = (run[0], end)
        else:
            if run:
                yield _clause(rule, text, section, run, named)
            run = (start, end)
    if run and len(text[slice(*run)]) > len(section.heading) + 15:  # a bare title says nothing
        yield _clause(rule, text, section, run, named)


def _hits(rule: ClauseRule, sentence: str) -> bool:
    return bool(rule.phrase.search(sentence)) and not (rule.unless and rule.unless.search(sentence))


def _clause(rule: ClauseRule, text: str, section: Section, run: tuple[int, int], named: bool) -> Clause:
    return Clause(
        clause_type=rule.clause_type,
        text=text[run[0] : run[1]],
        heading=section.heading or None,
        start=run[0],
        confidence=0.85 if named else 0.6,
    )
