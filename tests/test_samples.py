"""The sample contracts against their gold: what a new user sees on the first run has to be right."""

import pytest

from benchmarks.gold import (
    SAMPLES,
    flag_findings,
    gold_documents,
    misplaced_quotes,
    precision_recall,
    share_right,
    status_findings,
    term_findings,
)
from warehouse.read import query

# The bars of the first release; what is measured beyond them stands in docs/benchmarks.md.
DIGITAL_TERMS, OTHER_TERMS, FLAGS = 0.92, 0.80, 0.9


def test_every_sample_has_gold_and_every_gold_a_sample():
    inbox = {path.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("*") if path.is_file()}
    photos = {gold["path"] for gold in gold_documents() if (SAMPLES / gold["path"]).is_dir()}
    single = {p for p in inbox if not any(p.startswith(f"{folder}/") for folder in photos)}
    assert single - {"contract-agent.toml"} | photos == {gold["path"] for gold in gold_documents()}


def test_every_document_is_landed_duplicate_or_quarantined_as_it_should(warehouse):
    wrong = [finding for finding in status_findings(warehouse) if not finding.right]
    assert wrong == []
    codes = dict(query(warehouse, "SELECT source_uri, error_code FROM documents WHERE status = 'quarantined'")[1])
    assert codes == {gold["path"]: gold["error"] for gold in gold_documents() if gold["error"]}


@pytest.mark.parametrize(("digital", "bar"), [(True, DIGITAL_TERMS), (False, OTHER_TERMS)])
def test_terms_are_right(warehouse, digital, bar):
    findings = [f for f in term_findings(warehouse) if (f.capture_class == "digital") == digital]
    stated = [f for f in findings if f.gold not in (None, [])]
    assert len(findings) > 100
    assert share_right(findings) >= bar
    assert share_right(stated) >= bar


def test_flags_are_right(warehouse):
    precision, recall = precision_recall(flag_findings(warehouse))
    assert precision >= FLAGS and recall >= FLAGS


def test_verified_quotations_stand_on_the_page_that_is_cited(warehouse):
    assert misplaced_quotes(warehouse) == []
    assert query(warehouse, "SELECT count(*) FROM terms WHERE evidence = 'verified'")[1][0][0] > 300


def test_traps_are_not_taken_for_terms(warehouse):
    statement = """SELECT d.source_uri, t.term, t.value FROM terms t JOIN documents d USING (document_id)
        WHERE t.value IS NOT NULL"""
    found = {(path, term, value) for path, term, value in query(warehouse, statement)[1]}
    traps = {
        (gold["path"], trap["term"], str(trap["value"]))
        for gold in gold_documents()
        for trap in gold["must_not_find"]
        if "term" in trap
    }
    assert len(traps) > 20
    assert len(traps & found) <= 0.05 * len(traps), sorted(traps & found)


def test_capture_class_and_language_are_known(warehouse):
    rows = query(warehouse, "SELECT source_uri, capture_class, language FROM documents WHERE status = 'landed'")[1]
    expected = {g["path"]: (g["capture_class"], g["language"]) for g in gold_documents() if g["status"] == "landed"}
    assert {path: (capture, language) for path, capture, language in rows} == expected


def test_marks_on_the_paper_are_kept_and_the_print_stays(warehouse):
    statement = """SELECT kind, source FROM edit_marks JOIN documents USING (document_id)
        WHERE source_uri = 'services-marked-up.pdf'"""
    kinds = {kind for kind, source in query(warehouse, statement)[1] if source in ("annotation", "drawing")}
    assert {"strikethrough", "insertion"} <= kinds
    touched = query(
        warehouse,
        """SELECT value, evidence FROM terms JOIN documents USING (document_id)
        WHERE source_uri = 'services-marked-up.pdf' AND term = 'payment_terms_days'""",
    )[1]
    assert touched == [("30", "unverified")]
