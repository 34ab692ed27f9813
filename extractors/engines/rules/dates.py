"""Agreement date, effective date and a stated expiration date."""

import re
from collections.abc import Iterable

from extractors.engines.view import Sentence, View
from extractors.values import Dated, dates, pattern
from schemas.contract import Term

_MADE = pattern(
    r"\b(?:made|entered into|dated|executed|signed|concluded|(?:agreement|contract|order form|form|order) date|date of (?:this )?agreement|is made|"
    r"issued|makes? this|make this)\b[^.;]{0,60}$|^\s*(?:date|dated)\s*:?\s*$"
)
_EFFECTIVE_BEFORE = pattern(
    r"\b(?:effective (?:date|as of|as from|on|from)|takes? effect|in effect (?:from|as of)|commenc\w+|"
    r"comes? into (?:force|effect)|start(?:s|ing)? (?:date|on)|term start|subscription start|with effect from|"
    r"beginning|begins?|(?:this|the) \w+ (?:is|shall be|becomes) effective|effective)\b[^.;]{0,60}$"
)
_EFFECTIVE_AFTER = pattern(
    r"^[^.;\"]{0,90}\(?[^.;\"]{0,60}(?:\"(?:effective date|commencement date|start date)\"|\(the effective date\))"
)
_ENDS_BEFORE = pattern(
    r"\b(?:expires?|expir(?:y|ation) date|end date|termination date|(?:term|subscription|service|contract) end)\b[^.;]{0,40}$|"
    r"\b(?:until|through|thru|ending|ends?|continu\w+ to|up to)(?: on| and including)?(?: the)?\s*$"
)
_FROM_TO = pattern(
    r"\d{4}[^.;]{0,12}\b(?:to|-|until|till|through|and ending(?: on)?)\s*$|\bbetween [^.;]{6,30} and\s*$"
)
_RANGE = pattern(r"^\W*(?:\d{0,2}[.):]? ?)?(?:[A-Z][A-Za-z ]{0,24}[.:,] ?)?(?:[Ff]rom |[^.;]{0,40}, )?\(?$", 0)
_TERM_SUBJECT = pattern(
    r"\b(?:agreement|term|contract (?:shall|will|is|period)|lease|order form|statement of work|in (?:full )?(?:force|effect)|engagement)\b"
)
_OTHER_AGREEMENT = pattern(
    r"\b(?:that certain|original|existing|prior|previous|earlier|underlying|pursuant to|under the|under that|"
    r"amend\w* (?:to|of)|to the|to that|supplement\w* (?:to|of)|as defined in the|issued under)\b[^.;]{0,140}\bdated\b[^.;]{0,30}$|"
    r"\bas amended\b|\bsource: "
)
_IS_AN_END = pattern(r"\b(?:ends?|expires?|until|through|terminates?)\b[^.;]{0,25}$|\bterms of\s*$")
_NOT_A_TERM = pattern(
    r"invoice|deliver|payable on|fiscal|insurance|warrant|born|incorporated|audit|report|whereas|previous|prior agreement|"
    r"exclusiv|\bprice|discount|option period|milestone|bill of sale"
)


def terms(view: View) -> Iterable[Term]:
    """The dates that the text states; what must be calculated is left to `derive`."""
    yield from _agreement_date(view)
    yield from _effective_date(view)
    yield from _expiration_date(view)


def _dated_sentences(view: View) -> Iterable[tuple[Sentence, Dated]]:
    for sentence in view.about("dates"):
        for dated in dates(sentence.text):
            yield sentence, dated


def _agreement_date(view: View) -> Iterable[Term]:
    for sentence, dated in _dated_sentences(view):
        if sentence.start > 6_000:
            break
        before = sentence.text[: dated.start]
        if _OTHER_AGREEMENT.search(before[-180:]):
            continue
        made = _MADE.search(before[-90:])
        if made and (
            sentence.start < 700 or re.search(r"\bthis\b|\bundersigned\b|^\s*dated?\b", before, re.IGNORECASE)
        ):
            yield view.found("agreement_date", dated.value, sentence, (dated.start, dated.end), confidence=0.8)
        elif _EFFECTIVE_BEFORE.search(before[-90:]) and _names_parties(sentence, dated):
            yield view.found("agreement_date", dated.value, sentence, (dated.start, dated.end), confidence=0.6)
        elif sentence.start < 1_200 and not before.strip() and len(sentence.text) < 60:
            yield view.found("agreement_date", dated.value, sentence, (dated.start, dated.end), confidence=0.5)


def _names_parties(sentence: Sentence, dated: Dated) -> bool:
    """An opening such as `This Agreement, effective as of <date>, is between`."""
    return bool(re.search(r"\b(?:between|among|by and)\b", sentence.text[dated.end : dated.end + 200], re.I))


def _effective_date(view: View) -> Iterable[Term]:
    for sentence, dated in _dated_sentences(view):
        before, after = sentence.text[: dated.start][-90:], _up_to_next_date(sentence.text[dated.end :])
        label = f"{sentence.heading} {before}" if len(sentence.text) < 60 else before
        if _OTHER_AGREEMENT.search(sentence.text[: dated.start][-180:]) or _IS_AN_END.search(before):
            continue
        if _EFFECTIVE_AFTER.search(after):
            confidence = 0.9
        elif _EFFECTIVE_BEFORE.search(label):
            confidence = 0.85 if re.search(r"effective|takes? effect|force", label, re.I) else 0.7
        else:
            continue
        if sentence.start > 8_000:
            confidence -= 0.2
        yield view.found("effective_date", dated.value, sentence, (dated.start, dated.end), confidence=confidence)


def _up_to_next_date(text: str) -> str:
    following = dates(text)
    return text[: following[0].start] if following else text


def _expiration_date(view: View) -> Iterable[Term]:
    for sentence, dated in _dated_sentences(view):
        before = _before(view, sentence, dated)[-170:]
        ends, spans = _ENDS_BEFORE.search(before), _FROM_TO.search(before)
        if not (ends or spans) or _NOT_A_TERM.search(before + sentence.text[dated.end :][:40]):
            continue
        labelled = bool(ends and re.search(r"expir|end date|termination date|term end", ends.group(), re.I))
        if not labelled and not _TERM_SUBJECT.search(f"{sentence.heading} {before}") and not _is_range(sentence, dated):
            continue
        sure = 0.85 if re.search(r"initial term|expir|end date|shall continue|in effect", before, re.I) else 0.6
        yield view.found("expiration_date", dated.value, sentence, (dated.start, dated.end), confidence=sure)


def _before(view: View, sentence: Sentence, dated: Dated) -> str:
    """What stands before a date in its sentence; where it opens a line of a form, the label before it."""
    before = sentence.text[: dated.start]
    return before if before.strip() else view.text[max(0, sentence.start - 40) : sentence.start] + before


_A_TERM = pattern(
    r"\b(?:term|duration|period|runs?|continues?|in force|subscription|lasts?|(?:agreement|contract) ends)\b"
)


def _is_range(sentence: Sentence, dated: Dated) -> bool:
    """Whether the date ends a range that opens the sentence, as `From 1 August 2025 until 31 July 2026`."""
    earlier = [other for other in dates(sentence.text) if other.end <= dated.start]
    return bool(earlier) and bool(
        re.search(r"\bfrom\s+$", sentence.text[: earlier[0].start], re.IGNORECASE)
        or _RANGE.search(sentence.text[: earlier[0].start])
        or _A_TERM.search(f"{sentence.heading} {sentence.text}")
    )
