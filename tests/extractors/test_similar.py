"""Near duplicates: a contract scanned again is found, and what only looks like one is not taken for it."""

import random

import papers
import pytest

from extractors.similar import LINKED, Facts, bands, facts, same, same_words, signature, similarity
from schemas.document import Document, EditMark, SignatureArea

PARAGRAPHS = (
    "This Mutual Confidentiality Agreement is made on 1 March 2026 between Alpha Engineering Limited and Beta Foods",
    "Incorporated. Each party may disclose confidential information to the other in order to evaluate a purchase of",
    "machines for the bottling plant in Leeds. The receiving party shall protect the information with the same care",
    "that it applies to its own trade secrets and shall not disclose it to any person other than its employees,",
    "advisers and lenders who need to know it. The obligations end thirty (30) months after the date of this letter.",
    "Nothing in this agreement obliges either party to conclude a contract of sale. Damages alone would be no remedy;",
    "the disclosing party may ask the court for an injunction. The laws of England govern this agreement, and the",
    "courts of London have jurisdiction over every dispute arising from it. The deposit of GBP 12,500.00 is due in",
    "advance and bears interest at 4.5% a year. Notices go to the addresses that stand above, by registered letter.",
    "Neither party may assign this agreement without the written consent of the other, which it may not withhold",
    "without reason. If a provision is void, the others remain in force. This agreement may be signed in counterparts,",
    "each of which is an original. It replaces all earlier understandings between the parties about its subject.",
)
TEXT = "\n".join(PARAGRAPHS)
SEEN = (SignatureArea(page_number=1, kind="signature", label="By:", state="present", box=(0, 0, 1, 1)),)


def doc(text: str = TEXT, **fields) -> Document:
    return papers.document(*text.split("\f"), **fields)


def scan(text: str = TEXT, misread: tuple[tuple[str, str], ...] = (), confidence: float = 0.6, **fields) -> Document:
    """The document as OCR reads it: some words misread, with little confidence in these."""
    for was, now in misread:
        assert was in text
        text = text.replace(was, now, 1)
    made = doc(text, **fields)
    wrong = {part for _, now in misread for part in now.split()}
    pages = []
    for page in made.pages:
        words = [w._replace(confidence=confidence if page.text[w.start : w.end] in wrong else 0.96) for w in page.words]
        pages.append(page.model_copy(update={"words": tuple(words), "source": "ocr"}))
    return made.model_copy(update={"pages": tuple(pages)})


def are_same(a: Document, b: Document) -> bool:
    assert same(facts(a), facts(b)) == same(facts(b), facts(a))
    return same(facts(a), facts(b))


def near(a: str, b: str) -> float:
    return similarity(signature(a), signature(b))


def test_a_document_is_the_same_as_itself():
    assert are_same(doc(), doc())
    assert near(TEXT, TEXT) == 1.0
    assert len(signature(TEXT)) == 64 and all(0 <= value < 1 << 32 for value in signature(TEXT))


def test_signatures_estimate_the_share_of_common_shingles():
    letters = "abdeghkmpt"
    codes = ["x".join(letters[int(digit)] for digit in f"{number:03d}") for number in range(800)]
    text, half = " ".join(codes[:600]), " ".join(codes[:400] + codes[600:])
    assert near(text, half) == pytest.approx(398 / 798, abs=0.15)
    assert near(text, " ".join(reversed(codes[:600]))) == 0.0


def test_a_signature_does_not_count_numbers_and_line_ends():
    assert near(TEXT, TEXT.replace("12,500.00", "99,999.99").replace("\n", " ")) == 1.0
    assert near("a confidential letter of intent", "a confi-\ndential letter of intent") == 1.0


@pytest.mark.parametrize("text", ["", "12 34", "two words", "\n\f\n"])
def test_text_without_words_is_like_nothing(text):
    assert bands(signature(text)) == ()
    assert near(text, text) == 0.0
    assert near(text, TEXT) == 0.0
    assert not are_same(doc(text), doc(text))


def test_bands_find_a_noisy_copy_and_leave_others_alone():
    noisy = TEXT.replace("receiving", "recelving").replace("Limited", "Lirnited").replace("court", "conrt")
    other = " ".join(random.Random(1).sample(TEXT.split(), len(TEXT.split())))
    keys = bands(signature(TEXT))
    assert len(set(keys)) == 16
    assert set(keys) & set(bands(signature(noisy)))
    assert not set(keys) & set(bands(signature(other)))


MISREAD = {
    "look-alike letters": (("Limited", "Lirnited"), ("Incorporated", "lncorporated"), ("court", "c0urt")),
    "a letter": (("advisers", "advisors"), ("bottling", "bottlinq")),
    "a word cut in two": (("confidential information", "confi dential information"),),
    "two words run together": (("trade secrets", "tradesecrets"),),
    "a speck": (("Damages", "~ Damages"), ("plant in", "plant i in")),
    "a smudge": (("injunction.", "injunction. rff wq"),),
    "another separator": (("12,500.00", "12.500,00"),),
}


@pytest.mark.parametrize("misread", MISREAD.values(), ids=MISREAD.keys())
def test_a_scan_with_errors_of_ocr_is_the_same(misread):
    assert are_same(doc(), scan(misread=misread))
    assert near(TEXT, scan(misread=misread).text) > 0.8


OTHERS = {
    "another party": (("Alpha Engineering Limited", "Gamma Logistics Limited"),),
    "another first name of a party": (("Beta Foods", "Delta Foods"),),
    "another date": (("1 March 2026", "2 March 2026"),),
    "another month": (("March", "May"),),
    "one digit": (("12,500.00", "12,600.00"),),
    "a digit that OCR may have misread": (("12,500.00", "12,5O0.00"),),
    "a separator at another place": (("12,500.00", "125,00.00"),),
    "another currency sign": (("GBP 12,500", "€12,500"),),
    "another rate": (("4.5%", "4.8%"),),
    "per cent or not": (("4.5%", "4.5"),),
    "another number word": (("thirty", "thirteen"),),
    "another unit": (("months", "weeks"),),
    "a negation": (("shall not disclose", "shall disclose"),),
    "a permission": (("may not withhold", "may withhold"),),
    "another law": (("laws of England", "laws of Scotland"),),
    "a clause more": (("Notices go", "The buyer pays all costs of the review. Notices go"),),
    "a clause less": ((PARAGRAPHS[5], ""),),
    "two clauses changed over": (("\n".join(PARAGRAPHS[8:10]), "\n".join(PARAGRAPHS[9:7:-1])),),
}


@pytest.mark.parametrize("changed", OTHERS.values(), ids=OTHERS.keys())
@pytest.mark.parametrize("confidence", [0.5, 1.0])
def test_another_contract_of_the_same_template_is_only_linked(changed, confidence):
    other = scan(misread=changed, confidence=confidence)
    assert not are_same(doc(), other)
    assert near(TEXT, other.text) > LINKED


def test_a_word_that_was_read_without_doubt_is_another_word():
    change = (("lenders", "vendors"),)
    assert are_same(doc(), scan(misread=change, confidence=0.4))
    assert not are_same(doc(), scan(misread=change, confidence=0.99))


def test_a_missing_page():
    whole = TEXT + "\f" + "\n".join(reversed(PARAGRAPHS))
    assert are_same(doc(whole), scan(whole))
    assert not are_same(doc(whole), scan(TEXT))
    assert not are_same(doc(TEXT + "\fPage two says a little more."), scan(TEXT))


def test_amended_and_restated():
    restated = "Amended and Restated\n" + TEXT.replace("Each party may", "As amended, each party may")
    assert not are_same(doc(), scan(restated))
    assert near(TEXT, restated) > LINKED


MARK = EditMark(page_number=1, kind="strikethrough", source="drawing", text="12,500.00", box=(0, 0, 1, 1))


def test_edit_marks_that_differ():
    more = MARK.model_copy(update={"kind": "insertion", "text": "10,000.00"})
    assert are_same(doc(edit_marks=(MARK,)), scan(edit_marks=(MARK.model_copy(update={"page_number": 2}),)))
    for marks in ((), (MARK, more), (more,), (MARK, MARK)):
        assert not are_same(doc(edit_marks=(MARK,)), scan(edit_marks=marks))


SIGNED = TEXT + "\nBy: ________________ Name: J. Smith"


def _areas(*states: str) -> tuple[SignatureArea, ...]:
    return tuple(SEEN[0].model_copy(update={"state": state}) for state in states)


def test_the_draft_and_the_signed_copy():
    assert are_same(doc(SIGNED, signature_areas=SEEN), scan(SIGNED, signature_areas=SEEN))
    for states in (("absent",), ("uncertain",), ("present", "present"), ()):
        assert not are_same(doc(SIGNED, signature_areas=SEEN), scan(SIGNED, signature_areas=_areas(*states)))
    uncertain = _areas("uncertain")
    assert not are_same(doc(SIGNED, signature_areas=uncertain), scan(SIGNED, signature_areas=uncertain))


def test_signatures_that_nobody_has_looked_at_are_in_doubt():
    assert facts(doc(SIGNED)).signatures is None
    assert not are_same(doc(SIGNED), scan(SIGNED))
    assert facts(doc()).signatures == ()


def test_a_reading_that_is_mostly_noise_is_in_doubt():
    noise = random.Random(3)
    words = [(word, 0.9) for word in TEXT.split()]
    noisy = [(word[:-1] + "x" if noise.random() < 0.4 else word, 0.4) for word, _ in words]
    few = [(word[:-1] + "x" if noise.random() < 0.03 and word.isalpha() else word, 0.4) for word, _ in words]
    assert not same_words(words, noisy)
    assert same_words(words, few) or any(word != other for (word, _), (other, _) in zip(words, few, strict=True))


def test_other_languages():
    text = "本契約は2026年3月1日に締結される。甲は乙に対し業務を委託し、乙はこれを受託する。委託料は月額十万円とする。"
    other = text.replace("業務", "販売").replace("受託", "承諾")
    assert are_same(doc(text), doc(text))
    assert not are_same(doc(text), doc(other))
    assert 0 < near(text, other) < 1


def test_facts_are_values():
    assert isinstance(facts(doc()), Facts) and hash(facts(doc())) == hash(facts(doc()))
    assert dict(facts(doc()).numbers) == {"1": 1, "2026": 1, "30": 1, "12.500.00": 1, "4.5%": 1}
