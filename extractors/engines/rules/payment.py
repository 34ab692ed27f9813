"""When and how it is paid: payment days, billing, interest on late payment."""

import re
from collections.abc import Iterable

from extractors.engines.view import Sentence, View
from extractors.values import Duration, durations, pattern, percents
from schemas.contract import Term

_NET = pattern(r"\bnet[\s-]*(?:(?:[a-z]+(?:-[a-z]+)?\s*)?\(\s*(\d{1,3})\s*\)|(\d{1,3}))\b(?:[\s-]*days)?")
_NET_WORDS = pattern(r"\bnet (?=(?:[a-z]+-)?[a-z]+ (?:\(\d+\) )?days)")
_ON_RECEIPT = pattern(r"\b(?:due|payable|pay\w*|paid)\b[^.;]{0,60}\b(?:up)?on (?:receipt|presentation)\b")
_PAYING = pattern(r"\b(?:pay|paid|pays|payable|payment|payments|due|remit\w*|settle\w*)\b")
_INVOICE = pattern(
    r"\binvoic\w*|\bbill(?:s|ed|ing)?\b|\bstatements?\b|\breceipt\b|\bfees\b|\bcharges\b|\bamounts\b|payment terms"
)
_NOT_PAYMENT = pattern(
    r"\bdisput\w*|\bobject\w*|\bsuspend\w*|\bterminat\w*|\bcure|\bremed\w+|\boverdue|\bpast due|\blate\b|\brefund\w*|"
    r"\breimburs\w*|\baudit\w*|\bcontest\w*|\bin good faith|\bunderpayment|\bshortfall|\bdelinquen\w*|\bcredit(?:s|ed)?\b|"
    r"\bindemni|\broyalt|\breport\b|\breturn\w*|\breject\w*|\baccept\w*|\bwithhold|\bquestion"
)
# How soon an invoice is sent is not how soon it is paid.
_SENDS_INVOICE = pattern(
    r"\b(?:(?:send|sends|issue[sd]?|submit\w*|render\w*|raise[sd]?|deliver\w*)\b[^;]{0,30}\binvoic\w+|(?:shall|will|may) (?:also )?invoice)\b"
    r"(?:(?!\bpa(?:y|id|yable)\b|\bdue\b)[^;]){0,110}$"
)
_ANCHOR = pattern(
    r"^\s*(?:\(?\w*\)? )?(?:days )?(?:of|after|from|following|upon|net|date|end of)\b|^\s*$|^\s*[.;,)]|^\s*(?:calendar )?days\b"
)


def terms(view: View) -> Iterable[Term]:
    """Payment days, billing frequency and timing, late fee."""
    for sentence in view.about("payment"):
        yield from _payment_days(view, sentence)
        yield from _billing(view, sentence)
        yield from _late_fee(view, sentence)


def _payment_days(view: View, sentence: Sentence) -> Iterable[Term]:
    text = sentence.text
    for match in _NET.finditer(text):
        days = int(match[1] or match[2])
        if 0 < days <= 365 and not re.search(r"\b(?:net of|net income|net sales)", match.group(), re.I):
            yield view.found("payment_terms_days", days, sentence, match.span(), confidence=0.9)
            return
    if _NET_WORDS.search(text) and (found := durations(text)):
        yield view.found("payment_terms_days", found[0].days, sentence, (found[0].start, found[0].end), confidence=0.85)
        return
    if (match := _ON_RECEIPT.search(text)) and _INVOICE.search(text) and not durations(text):
        yield view.found("payment_terms_days", 0, sentence, match.span(), confidence=0.7)
        return
    for duration in durations(text):
        confidence = _payment_confidence(sentence, duration)
        if confidence:
            span = (duration.start, duration.end)
            yield view.found("payment_terms_days", duration.days, sentence, span, confidence=confidence)


def _payment_confidence(sentence: Sentence, duration: Duration) -> float:
    if duration.unit not in ("day", "week", "month") or duration.days > 365:
        return 0.0
    text = sentence.text
    before = _same_clause(text[: duration.start], last=True)
    after = _same_clause(text[duration.end :], last=False)
    near = before[-150:] + " " + after[:90]
    if not (_PAYING.search(near) and _INVOICE.search(near)) or _NOT_PAYMENT.search(before[-110:] + " " + after[:40]):
        return 0.0
    if not _ANCHOR.search(after) or _SENDS_INVOICE.search(before):
        return 0.0
    if not re.search(r"(?:within|no later than|not later than|in|terms?:?|due|payable|of|than)\s*$", before, re.I):
        return 0.5 if re.match(r"\s*(?:after|from|of|following)", after, re.I) else 0.0
    return 0.85 if re.search(r"invoice", near, re.I) else 0.6


def _same_clause(text: str, *, last: bool) -> str:
    parts = re.split(r";|\. ", text)
    return parts[-1] if last else parts[0]


_FREQUENCIES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("milestone", pattern(r"\bmilestones?\b")),
    ("monthly", pattern(r"\bmonthly\b|\bper month\b|\beach (?:calendar )?month\b|\bevery month\b")),
    ("quarterly", pattern(r"\bquarterly\b|\beach (?:calendar )?quarter\b|\bper quarter\b|\bevery quarter\b")),
    (
        "annual",
        pattern(r"\bannual(?:ly)?\b|\beach (?:contract )?year\b|\bper (?:year|annum)\b|\byearly\b|\bevery year\b"),
    ),
    (
        "one_time",
        pattern(
            r"\bone-?time\b|\blump sum\b|\bsingle (?:payment|invoice|instal)|\bin full (?:upon|on|at|within|by|in advance)|"
            r"\bupon (?:delivery|shipment|completion)\b"
        ),
    ),
    (
        "usage",
        pattern(r"\bactual usage\b|\busage-based\b|\bper (?:transaction|call|unit used)\b|\bmetered\b"),
    ),
)
_BILLING = pattern(
    r"\b(?:invoice[sd]?|invoicing|bill(?:s|ed|ing)?|payable|paid|pay|due)\b|\bpayment (?:terms|schedule)\b|"
    r"\bbilling (?:frequency|schedule|period)\b|\b(?:annually|monthly|quarterly|yearly) in (?:advance|arrears)\b"
)
_ADVANCE = pattern(r"\bin advance\b|\badvance\b|\bupfront\b|\bup-?front\b|\bprepaid\b|\bat the (?:start|beginning) of each\b|"
                   r"\bon or before the (?:first|start)|\b(?:up)?on signature\b|\bat (?:the )?sign(?:ing|ature)\b|"
                   r"\bat (?:or before )?the (?:start|beginning|commencement) of\b|\bon each anniversary\b")  # fmt: skip
_ARREARS = pattern(r"\bin arrears\b|\barrears\b|\bafter the end of (?:each|the|that|every)\b|\bat the end of each\b|\bonce (?:that|the|each|it) (?:(?:month|quarter|year|period) )?(?:is over|has ended|ends)\b|\b(?:after|following|on|at) the (?:close|end|expiry) of (?:each|the|that|every) (?:\w+ )?"
                   r"(?:month|quarter|year|period|week)|\bin which (?:the|such|it|they) [^.;]{0,40}\b(?:provided|performed|rendered|used)\b|"
                   r"\bfor (?:the|each|every) (?:\w+ )?(?:month|quarter|year|period) (?:then |just )?(?:ended|past|elapsed)\b|\bfor the past (?:\w+ )?(?:month|quarter|year)\b|"
                   r"\bon the last (?:\w+ )?day of (?:the|each|every) (?:calendar )?(?:month|quarter|year)\b|"
                   r"\bfor the (?:preceding|previous) "
                   r"(?:month|quarter)|\bfollowing (?:delivery|completion)\b")  # fmt: skip
_NOT_BILLING = pattern(r"\binterest\b|\blate\b|\breport\b|\binsurance\b|\baudit|\bmeet|\breview|\bcredit|\btax\b|\bliabilit|\bprior to|"
                       r"\badvance (?:written )?notice|\bnotice\b")  # fmt: skip


_BESIDE = pattern(
    r"\boverage|\bexcess|\busage above|\babove \d|\badditional (?:users|services)|\bout-of-pocket|\bexpenses|\bprofessional services|"
    r"\bimplementation|\bone-time|\btravel"
)


def _billing(view: View, sentence: Sentence) -> Iterable[Term]:
    billing = _BILLING.search(sentence.text)
    if not billing or _NOT_BILLING.search(sentence.text):
        return
    sure = 0.8 if re.search(r"invoic|bill", sentence.text, re.I) else 0.6
    sure -= 0.2 * bool(_BESIDE.search(sentence.text))
    timing = min(
        ((name, m) for name, e in (("arrears", _ARREARS), ("advance", _ADVANCE)) if (m := e.search(sentence.text))),
        key=lambda item: item[1].start(),
        default=None,
    )
    if timing and re.search(r"\b(?:no|not|never)\b[^.;]{0,60}$", sentence.text[: timing[1].start()], re.IGNORECASE):
        timing = None
    frequency = _frequency(sentence.text, (timing[1] if timing else billing).start())
    if frequency:
        yield view.found("billing_frequency", frequency[0], sentence, frequency[1].span(), confidence=sure)
    if timing:
        yield view.found("billing_timing", timing[0], sentence, timing[1].span(), confidence=sure)


def _frequency(text: str, near: int) -> tuple[str, re.Match[str]] | None:
    """The frequency word that stands nearest to the word of billing or of its timing."""
    found = [(name, match) for name, expression in _FREQUENCIES for match in expression.finditer(text)]
    return min(found, key=lambda item: abs(item[1].start() - near), default=None)


_LATE = pattern(
    r"\blate\b|\boverdue\b|\bpast due\b|\bunpaid\b|\bnot paid\b|\binterest\b|\bdelinquen|\bdefault interest|"
    r"\bwhen due\b|\bnot (?:received|settled|remitted)\b|\bpaid (?:later|after that)\b|\boutstanding\b"
)
_PER_MONTH = pattern(
    r"^\W*(?:\(?[\d.]+\s*%?\)?\W*)?(?:of the \w+(?: \w+){0,4} )?(?:per|a|(?:for )?(?:each|every|any)|/)\s*(?:calendar )?month|^\W*monthly"
)
_PER_YEAR = pattern(r"^\W*(?:\(?[\d.]+\s*%?\)?\W*)?(?:per|a|each|/)\s*(?:annum|year)|^\W*(?:annual|p\.a\.)")
_ABOVE_BASE = pattern(r"\b(?:above|over|plus|in excess of)\b[^.;]{0,50}\b(?:base|prime|libor|sofr|euribor|bank)")


def _late_fee(view: View, sentence: Sentence) -> Iterable[Term]:
    if not _LATE.search(sentence.text) or re.search(
        r"\bdeposit|\bescrow|\bnot charge|\bno interest", sentence.text, re.I
    ):
        return
    for percent in percents(sentence.text):
        after = sentence.text[percent.end : percent.end + 60]
        if _ABOVE_BASE.search(sentence.text[percent.end : percent.end + 80]):
            continue
        span = (percent.start, min(len(sentence.text), percent.end + 25))
        if _PER_MONTH.search(after) or re.search(
            r"monthly (?:rate|interest|charge)", sentence.text[: percent.start], re.I
        ):
            yield view.found("late_fee_percent_per_month", percent.value, sentence, span, confidence=0.9)
            return
        if _PER_YEAR.search(after) or re.search(r"annual (?:rate|interest)", sentence.text[: percent.start], re.I):
            yield view.found(
                "late_fee_percent_per_month", round(percent.value / 12, 4), sentence, span, confidence=0.75
            )
            return
