"""Agreement date, effective date and a stated expiration date."""

import re
from collections.abc import Iterable

from extractors.engines.view import Sentence, View
from extractors.values import Dated, dates, pattern
from schemas.contract import Term

_MADE = pattern(
    r"\b(?:made|entered into|dated|executed|signed|concluded|agreement date|date of (?:this )?agreement|is made|"
    r"issued)\b[^.;]{0,60}$|^\s*(?:date|dated)\s*:?\s*$"
)
_EFFECTIVE_BEFORE = pattern(
    r"\b(?:effective (?:date|as of|on|from)|takes? effect|in effect (?:from|as of)|commenc\w+|comes? into (?:force|effect)|"
    r"start(?:s|ing)? (?:date|on)|term start|subscription start|with effect from|beginning|begins?|"
    r"(?:this|the) \w+ (?:is|shall be|becomes) effective)\b[^.;]{0,70}$"
)
_EFFECTIVE_AFTER = pattern(
    r"^[^.;\"]{0,90}\(?[^.;\"]{0,60}\"(?:effective date|commencement date|start date)\""
)
_EXPIRES_BEFORE = pattern(
    r"\b(?:expir\w+|until|through|to|ending|ends?|end date|terminat(?:es?|ing)|up to and including|not later than)"
    r"\b[^.;]{0,50}$"
)
_TERM_CONTEXT = pattern(
    r"\bterm\b|\bperiod\b|agreement|\bexpir|in (?:full )?(?:force|effect)|end date|remain|continue"
)
_OTHER_AGREEMENT = pattern(
    r"\b(?:master|original|existing|prior|previous|earlier|underlying|between the parties|pursuant to|under) "
    r"[^.;]{0,80}\bdated\b[^.;]{0,30}$|\bas amended\b"
)
_NOT_A_TERM = pattern(r"invoice|deliver|payable on|fiscal|insurance|warrant|born|incorporated|audit|report")


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
        if _OTHER_AGREEMENT.search(before[-160:]) and not re.match(r"\s*this\b", before, re.IGNORECASE):
            continue
        if _MADE.search(before[-90:]):
            yield view.found(
                "agreement_date", dated.value, sentence, (dated.start, dated.end), confidence=0.8
            )
        elif _EFFECTIVE_BEFORE.search(before[-90:]) and _names_parties(sentence, dated):
            yield view.found(
                "agreement_date", dated.value, sentence, (dated.start, dated.end), confidence=0.6
            )
        elif sentence.start < 1_200 and not before.strip() and len(sentence.text) < 60:
            yield view.found(
                "agreement_date", dated.value, sentence, (dated.start, dated.end), confidence=0.5
            )


def _names_parties(sentence: Sentence, dated: Dated) -> bool:
    """An opening such as `This Agreement, effective as of <date>, is between`."""
    return bool(re.search(r"\b(?:between|among|by and)\b", sentence.text[dated.end : dated.end + 200], re.I))


def _effective_date(view: View) -> Iterable[Term]:
    for sentence, dated in _dated_sentences(view):
        before, after = sentence.text[: dated.start][-90:], sentence.text[dated.end :]
        label = f"{sentence.heading} {before}" if len(sentence.text) < 60 else before
        if _OTHER_AGREEMENT.search(sentence.text[: dated.start][-160:]):
            continue
        if _EFFECTIVE_AFTER.search(after):
            confidence = 0.9
        elif _EFFECTIVE_BEFORE.search(label):
            confidence = 0.85 if re.search(r"effective|takes? effect|force", label, re.I) else 0.7
        else:
            continue
        if sentence.start > 8_000:
            confidence -= 0.2
        yield view.found(
            "effective_date", dated.value, sentence, (dated.start, dated.end), confidence=confidence
        )


def _expiration_date(view: View) -> Iterable[Term]:
    for sentence, dated in _dated_sentences(view):
        before = sentence.text[: dated.start][-80:]
        if _EXPIRES_BEFORE.search(before) and not _NOT_A_TERM.search(sentence.text):
            if not _TERM_CONTEXT.search(sentence.text):
                continue
            sure = re.search(r"expir|end date|initial term|until|through", sentence.text, re.I)
            yield view.found(
                "expiration_date",
                dated.value,
                sentence,
                (dated.start, dated.end),
                confidence=0.8 if sure else 0.6,
            )
