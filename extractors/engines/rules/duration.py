"""How long: initial term, renewal, and the notice that stops a renewal."""

import re
from collections.abc import Iterable

from extractors.engines.view import Sentence, View
from extractors.values import Duration, durations, pattern
from schemas.contract import Term

_NO_RENEWAL = pattern(
    r"\b(?:shall|will|does|do) not (?:automatically )?(?:be )?(?:renew|extend)|\bno (?:automatic |right of )?renewal|"
    r"without (?:any )?(?:automatic )?renewal|not (?:be )?subject to (?:automatic )?renewal|"
    r"there is no (?:automatic )?(?:renewal|extension)"
)
_AUTO = pattern(
    r"\bautomatic(?:ally)? (?:be )?(?:renew|extend)|\b(?:renew|renews|renewed|extend|extends|extended) (?:automatically|tacitly)|\btacit(?:ly)? (?:be )?renew|"
    r"\bprolongs? itself\b|"
    r"\b(?:shall|will) (?:thereafter )?(?:be )?(?:renew|renewed|extended|continued?) (?:thereafter )?"
    r"(?:from year to year|for (?:a )?(?:successive|further|additional|consecutive))|"
    r"\brenews? for (?:successive|further|additional|consecutive|another|(?:terms|periods)\b)|\brolls? over\b|"
    r"\brenews? (?:for|by) [^.;]{0,30}\bat a time\b|"
    r"\bautomatic (?:\w+ )?renewal\b|\bauto-?renew|\b(?:continue|renew\w*|extend\w*)\b[^.;]{0,30}\b(?:on a )?year[- ]to[- ]year"
)
_EVERGREEN = pattern(
    r"\bmonth[- ]to[- ]month\b|\b(?:continue|remain|continues|remains)\b[^.;]{0,60}"
    r"\b(?:indefinitely|until (?:it is )?(?:terminated|cancelled|either party))|\bindefinite (?:term|period)|"
    r"\bevergreen\b|\buntil terminated\b|\b(?:unless and )?until (?:it is )?(?:brought to an end|ended) by\b|no fixed (?:term|end)|"
    r"\bruns? on\b[^.;]{0,60}\b(?:without|until)\b|\bwithout limit (?:of|in) time\b|\brolling basis\b"
)
_OTHER_RENEWAL = pattern(
    r"\b(?:licen[cs]es?|insurance|copyright|registration|patent|letter of credit|confidentiality|obligations?)\b[^.;]{0,40}"
    r"\b(?:renew|extend|remain|continue)|"
    r"\b(?:unused|not used|credits?|hours|balances?|allowances?|volumes?)\b[^.;]{0,80}\broll(?:s|ed)? over\b"
)
_YEAR_TO_YEAR = pattern(
    r"\byear[- ]to[- ]year\b|\brenew\w* (?:annually|yearly)|\bannual (?:periods?|terms?|renewals?)\b|\b(?:each|every) year\b"
)
_SAME_LENGTH = pattern(
    r"\b(?:equal (?:in (?:duration|length) )?to|of the same (?:length|duration) as|as long as) the (?:\w+ )?"
    r"(?:initial|previous|expiring|preceding|prior|original|subscription)\b"
)
_OPTIONAL = pattern(
    r"\boption(?:s)? to (?:renew|extend|continue)|\bmay (?:be )?(?:renew|renewed|extend|extended)\b|"
    r"\b(?:renewed|extended|renewal|extension)\b[^.;]{0,40}\b(?:by|upon|on) (?:the )?(?:mutual|written|signed)|"
    r"\b(?:right|wish\w*|elects?|seeks?|entitled) to (?:\w+ )?(?:renew|extend)|mutual (?:written )?agreement[^.;]{0,40}\b(?:renew|extend)|"
    r"\brenewable\b|\b(?:will|shall) (?:be )?(?:extend|extended|renew|renewed)\b[^.;]{0,80}\b(?:provided|if|upon)\b"
)
_RENEW_WORD = pattern(r"renew|extend|extension|successive|roll over|prolong")
_TERM_SUBJECT = pattern(
    r"\bterm\b|\b(?:initial|subscription|licen[cs]e|service|contract|rental|lease|primary|base) period\b|"
    r"\bthis (?:agreement|contract|order form|statement of work|sow|lease|order|licen[cs]e|letter)\b|"
    r"\b(?:the )?(?:agreement|order) (?:shall|will|is)\b|\bin (?:full )?(?:force|effect) for\b"
)
_TERM_VERB = pattern(
    r"\b(?:for|of) (?:an? )?(?:initial |fixed |minimum |firm )?(?:subscription |service )?"
    r"(?:term|period|duration)?(?: of)?\s*(?:\w+ )?$|"
    r"\b(?:continues?|remains?|run|runs|lasts?|expires?|be|is|are|term:?|period:?|months?:|term \(months\):?|"
    r"in (?:full )?(?:force|effect))\b[^.;]{0,40}$"
)
_NOT_THE_TERM = pattern(
    r"surviv(?:e|es|ed|ing)\b|after the end\b|after it\b|after (?:the )?engagement|after (?:the |its |such |any )?(?:date of )?(?:disclosure|termination|expiration|expiry)|following (?:the |its |any )?(?:disclosure|"
    r"termination|expiration|expiry)|thereafter for|cure|remed|warrant|notice|invoice|audit|retain|records|"
    r"insurance|non-?compet|solicit|force majeure|suspend|transition|wind|delivery|lead time|backup|credit|"
    r"limitation|claims? |prior to|preceding|before the|statute|escrow|acceptance|payment|liabilit|trial|"
    r"months? (?:immediately )?(?:preceding|prior)|discount|free of charge|rebate"
)
_INITIAL_OF = pattern(
    r"\binitial (?:\w+ )?(?:term|period)\b[^.;]{0,90}\b(?:of|for|be|is|continues?|ends? on|through)\b[^.;]{0,25}$|"
    r"\binitial (?:\w+ )?(?:term|period)\s*:?\s*$"
)
_DEFINES_TERM = pattern(
    r"^[^.;]{0,150}\(\s*(?:the |collectively,? (?:the )?|each,? (?:a |the )?)?\"(?:initial )?(?:\w+ )?(?:term|period)\""
)
_NOTICE = pattern(
    r"\b(?:notice|notif\w+|written|writing|request|inform\w*|advis\w+|elect\w*|object\w*|declin\w+|opt\w*|intention|non-?renew\w*|"
    r"terminat\w+|cancel\w*)\b"
)
_BEFORE_END = pattern(
    r"^\s*(?:\(?\w+\)? )?(?:['’]?s?['’]? )?(?:or more )?(?:prior |advance |previous )?(?:written )?(?:notice |warning )?"
    r"(?:in writing )?(?:given |received |served )?"
    r"(?:prior to|before|in advance of|preceding|ahead of|prior|notice|warning)"
)

_ENDS_AT_TERM = pattern(
    r"\b(?:end|terminat\w+|cancel\w*|determine)\b[^.;]{0,60}\b(?:last day|end|expiry|expiration) of (?:the |any |each )?(?:initial|"
    r"then[- ]current|renewal|extended|current)\b"
)
_INTENDS_TO_END = pattern(
    r"\bnotice\b[^.;]{0,80}\b(?:intention|intent|desire|wish)\w* (?:not )?to (?:terminate|end|renew|continue)"
)
_NOTICE_NOT_TO_RENEW = pattern(
    r"^\s*'?s?'? ?(?:prior |advance )*(?:written )?notice[^.;]{0,60}\b(?:non-?renew|not (?:be |to )?(?:renew|extend))"
)


_RESTRAINT = pattern(
    r"\b(?:restrict(?:ed|ion|ive)|stand-?still|non-?compet\w*|non-?solicit\w*|non-?interference|tail|protected|covered) "
    r"(?:\w+ )?(?:period|term)\b|"
    r"\b(?:will|shall|agrees?|covenants?|undertakes?)(?: that (?:it|he|she|they|you) (?:will|shall))? not,?\b[^;]{0,200}"
    r"\b(?:directly or indirectly|solicit|compete|engage in|hire|employ|acquire|divert|disclose)\b"
)
_RUNS_OUT = pattern(
    r"\b(?:agreement|letter|obligations?|covenants?|commitments?|restrictions?|undertakings?|provisions)\b[^;]{0,160}"
    r"\b(?:terminates?|expires?|cease|end|lapse|no (?:further|longer)|remain|continue|(?:be|is|are) (?:in (?:full )?(?:force|effect)|binding|"
    r"effective))\b[^.;]{0,90}$"
)
_TERM_IS = pattern(
    r"\bterm of (?:this|the) (?:\w+ )?(?:agreement|contract|lease|letter|licen[cs]e|engagement|order)\b[^.;]{0,40}?"
    r"\b(?:shall be|will be|is|be)\s*(?:for )?(?:an? )?(?:initial )?(?:(?:period|term) (?:of|equal to) )?(?:\w+ )?$"
)
_FROM_ITS_DATE = pattern(
    r"^\W*(?:period |term |anniversary )?(?:from|after|following|of) (?:and after )?(?:the |its )?(?:date (?:hereof|of (?:this|its|the)\b"
    r"(?! (?:last|disclosure|receipt|termination)))|effective date|execution|signing|last signature|this agreement|this letter)"
)
_AFTER_SOMETHING = pattern(
    r"^\W*(?:period |term )?(?:immediately )?(?:following|after|from|commencing on) [^.;]{0,60}\b(?:terminat\w+|resign\w+|"
    r"retire\w+|disclos\w+|discussions|employment|separation|change (?:of|in) control|occurrence)"
)
_AND_THEREAFTER = pattern(r"\b(?:during|throughout)\b[^.;]{0,160}\band for\b[^.;]{0,80}\bthereafter")


_SENTENCE_START = pattern(
    r"^\W*(?:(?:section|clause|article|§)? ?\d{0,2}(?:\.\d{1,2})?[.):]? ?)?(?:[A-Z][\w ]{0,30}[.:,(] ?)?(?:\([^)]{0,40}\),? ?)?$",
    0,
)
_STARTING = pattern(
    r"^\W*(?:from|beginning|commencing|starting|running|counted)\b(?! (?:the )?(?:date of )?(?:delivery|receipt|notice|disclosure|"
    r"invoice|acceptance|shipment|installation))"
)
_FROM_A_DAY = pattern(
    r"^\W*(?:from|beginning|commencing|starting)(?: on| from| with)? (?:the )?(?:(?:effective|commencement|start|order|subscription|"
    r"go-?live)\b|\d|january|february|march|april|may|june|july|august|september|october|november|december)"
)
_FOR_A_PERIOD = pattern(r"\b(?:for|lasts|runs(?: for)?) (?:an? (?:\w+ )?(?:period|term) of )?(?:\w+ )?$")


def terms(view: View) -> Iterable[Term]:
    """Initial term, renewal type, renewal term and renewal notice."""
    sentences = view.about("duration")
    yield from _initial_term(view, sentences)
    for i, sentence in enumerate(sentences):
        yield from _renewal(view, sentence, sentences[i + 1 : i + 3])


_IN_MONTHS = pattern(r"\bterm (?:in months|\(months\))\W{0,6}(\d{1,3})\b")


def _initial_term(view: View, sentences: list[Sentence]) -> Iterable[Term]:
    for sentence in sentences:
        if match := _IN_MONTHS.search(sentence.text):
            yield view.found("initial_term_months", float(match[1]), sentence, match.span(), confidence=0.9)
        for duration in durations(sentence.text):
            confidence = _initial_term_confidence(sentence, duration)
            if confidence:
                span = (duration.start, duration.end)
                yield view.found("initial_term_months", duration.months, sentence, span, confidence=confidence)


def _initial_term_confidence(sentence: Sentence, duration: Duration) -> float:
    before, after = sentence.text[: duration.start], sentence.text[duration.end :]
    if duration.unit in ("day", "week") and duration.days < 28:
        return 0.0
    near = before[-140:]
    if _TERM_IS.search(before):
        return 0.9
    if _RUNS_OUT.search(before) and _FROM_ITS_DATE.search(after) and not _RENEW_WORD.search(near):
        return 0.86
    if _RENEW_WORD.search(near) and not re.search(r"initial", near, re.I):
        return 0.0
    if _NOT_THE_TERM.search(before[-70:] + " " + after[:45]):
        return 0.0
    if _RESTRAINT.search(sentence.text) or _AFTER_SOMETHING.search(after) or _AND_THEREAFTER.search(sentence.text):
        return 0.0
    if re.search(r"(?:first|last|final|each|every|second|third|next|any|within)(?: of the)?\s*$", before, re.I):
        return 0.0
    if _INITIAL_OF.search(near):
        return 0.9
    if _DEFINES_TERM.search(after):
        return 0.88
    heads = bool(re.search(r"\bterm\b|duration|^\W*[\d.]*\W*period\W*$", sentence.heading, re.I))
    if _SENTENCE_START.search(before) and (_STARTING.match(after) or heads):
        return 0.82
    if not (_TERM_SUBJECT.search(near) or heads):
        opens = _FOR_A_PERIOD.search(before) or re.search(r"[,:]\s*$", before)
        return 0.65 if opens and _FROM_A_DAY.match(after) else 0.0
    if _SENTENCE_START.search(before) and _STARTING.match(after):
        return 0.82
    if re.match(r"\s*(?:term|period)\b|\s*(?:from|commencing|beginning|starting|after) (?:the )?", after, re.I):
        return 0.8
    if _TERM_VERB.search(near):
        return 0.75 if re.search(r"\bterm\b|duration", sentence.heading, re.I) else 0.6
    return 0.45 if re.search(r"\bterm\b", sentence.heading, re.I) else 0.0


# An option to extend stands beside "does not renew automatically": then it renews by an act.
_SURENESS = {"auto": 0.85, "optional": 0.8, "none": 0.75, "evergreen": 0.7}


def _renewal(view: View, sentence: Sentence, following: list[Sentence]) -> Iterable[Term]:
    kind, match = _renewal_kind(sentence)
    if kind is None:
        return
    yield view.found("renewal_type", kind, sentence, match.span(), confidence=_SURENESS[kind])
    if kind in ("auto", "optional"):
        yield from _renewal_term(view, sentence, kind)
    if kind != "none":
        yield from _renewal_notice(view, [sentence, *following])


def _renewal_kind(sentence: Sentence) -> tuple[str | None, re.Match[str] | None]:
    text = sentence.text
    if _OTHER_RENEWAL.search(text):
        return None, None
    denied, auto = _NO_RENEWAL.search(text), _AUTO.search(text)
    # "renews unless either says it shall not be renewed" renews; "shall not automatically renew" does not.
    if denied and not (auto and (auto.end() <= denied.start() or denied.end() <= auto.start())):
        return "none", denied
    if auto:
        evergreen = _EVERGREEN.search(text)
        fixed = _YEAR_TO_YEAR.search(text) or any(_is_renewal_length(text, d) for d in durations(text))
        return ("evergreen", evergreen) if evergreen and not fixed else ("auto", auto)
    if match := _OPTIONAL.search(text):
        return "optional", match
    if (match := _EVERGREEN.search(text)) and (_TERM_SUBJECT.search(text) or "month-to" in text.lower()):
        return "evergreen", match
    return None, None


def _is_renewal_length(text: str, duration: Duration) -> bool:
    before, after = text[: duration.start], text[duration.end :]
    if _BEFORE_END.search(after) or re.search(r"(?:at least|less than|minimum of)\s*$", before, re.I):
        return False
    return bool(_RENEW_WORD.search(before[-90:]) or re.match(r"\s*(?:renewal|extension|terms?|periods?)", after, re.I))


def _renewal_term(view: View, sentence: Sentence, kind: str) -> Iterable[Term]:
    for duration in durations(sentence.text):
        if duration.unit != "day" and _is_renewal_length(sentence.text, duration):
            span = (duration.start, duration.end)
            yield view.found("renewal_term_months", duration.months, sentence, span, confidence=0.8)
            return
    if match := _YEAR_TO_YEAR.search(sentence.text):
        yield view.found("renewal_term_months", 12, sentence, match.span(), confidence=0.6)
    elif (match := _SAME_LENGTH.search(sentence.text)) and (months := _initial_months(view)):
        yield view.found("renewal_term_months", months, sentence, match.span(), confidence=0.6)


def _initial_months(view: View) -> float | None:
    """The surest initial term, for renewals that are said to be as long."""
    found = list(_initial_term(view, view.about("duration")))
    return max(found, key=lambda term: term.confidence).value_number if found else None


def _renewal_notice(view: View, sentences: list[Sentence]) -> Iterable[Term]:
    for distance, sentence in enumerate(sentences):
        if distance and not any(said.search(sentence.text) for said in (_RENEW_WORD, _ENDS_AT_TERM, _INTENDS_TO_END)):
            continue
        for duration in durations(sentence.text):
            if _is_renewal_notice(sentence.text, duration):
                span = (duration.start, duration.end)
                confidence = 0.85 - 0.1 * distance
                yield view.found("renewal_notice_days", duration.days, sentence, span, confidence=confidence)


def _is_renewal_notice(text: str, duration: Duration) -> bool:
    around = text[max(0, duration.start - 140) : duration.end + 140]
    after = text[duration.end :]
    if re.match(r"['’]?s?['’]?\s+(?:prior )?(?:written )?notice", after.strip(), re.I) and _INTENDS_TO_END.search(
        after
    ):
        return True
    if _NOTICE_NOT_TO_RENEW.search(after) or (_BEFORE_END.search(after) and _NOTICE.search(around)):
        return True
    return bool(
        _ENDS_AT_TERM.search(text[: duration.start])
        and re.match(r"'?s?'?\s*(?:prior )?(?:written )?notice", after.strip(), re.I)
    )
