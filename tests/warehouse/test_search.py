"""Search finds words wherever they stand, with an index or without, and nothing else."""

import random
import re
import shutil
from pathlib import Path

import pytest
from frontdoor import call_here
from landing_samples import batch, document, filed, land_run

from schemas.errors import QueryError, WarehouseError
from warehouse import words
from warehouse.catalogue import rebuild
from warehouse.compact import compact
from warehouse.read import query
from warehouse.rows import document_rows
from warehouse.search import around, phrases_of, search
from warehouse.stage import index_of
from warehouse.words import LEAST_ROWS, TEXTS, index_words

TEXT = """The Société Générale's fees (net 60) are non-refundable; see O’Brien & Co.
Dedicated
servers — 99.5 % uptime. バスの運賃、ＡＢＣ１２３号。自動更新しない"""


@pytest.fixture(scope="module")
def indexed(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse of the sample contracts, with an index of every file of texts."""
    root = tmp_path_factory.mktemp("indexed") / "warehouse"
    shutil.copytree(warehouse, root)
    rebuild(root)
    assert index_words(root, least=0) == len(TEXTS)
    assert index_words(root, least=0) == 0
    return root


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One contract of one page, with `TEXT`."""
    root = tmp_path_factory.mktemp("one")
    land_run(root, "r1", [batch(0, "r1") | document_rows(filed(0, "r1"), document(0, TEXT))])
    return root


def indexes(root: Path) -> list[str]:
    return sorted(file.name for file in (root / "lake" / "words").iterdir())


@pytest.mark.parametrize("where", TEXTS)
@pytest.mark.parametrize(
    "phrases",
    [
        ["limitation of liability"],
        ["LIABILITY", "fees"],
        ["terminat*", "convenience"],
        ["net 30"],
        ["自動的に更新"],
        ["the"],
        ["a"],
        ["liability of limitation"],
    ],
    ids=" ".join,
)
def test_an_index_changes_nothing(warehouse: Path, indexed: Path, phrases: list[str], where: str):
    assert search(indexed, phrases, where, 1_000) == search(warehouse, phrases, where, 1_000)


def test_whatever_stands_on_a_page_is_found_on_it(warehouse: Path, indexed: Path):
    chance = random.Random(5)
    pages = query(warehouse, "SELECT file_name, page_number, text FROM pages JOIN documents USING (document_id)")[1]
    tried = 0
    for file_name, page_number, text in pages:
        words = re.findall(r"[A-Za-z0-9]+", text)
        if len(words) < 8:
            continue
        at = chance.randrange(len(words) - 4)
        phrase = " ".join(words[at : at + 4])
        if not re.search(r"\W+".join(words[at : at + 4]), text):
            continue  # a letter beyond these stands between
        found = search(indexed, [phrase], most_rows=1_000)
        assert (file_name, page_number) in {(place.file_name, place.page_number) for place in found.places}
        assert found == search(warehouse, [phrase], most_rows=1_000)
        tried += 1
    assert tried > 30


@pytest.mark.parametrize(
    "phrase",
    [
        "societe generale",
        "SOCIÉTÉ",
        "fees net 60 are",
        "non refundable",
        "O'Brien & Co",
        "dedicated servers",
        "dedicated serv*",
        "99.5% uptime",
        "バス",
        "abc123",
        "ＡＢＣ123号",
        "自動更新",
    ],
)
def test_spelling_makes_no_difference(one: Path, phrase: str):
    found = search(one, [phrase])
    assert (found.total, found.contracts) == (1, 1)


@pytest.mark.parametrize("phrase", ["server", "servers dedicated", "パス", "refund", "60 net", "generale fees", "ees*"])
def test_other_words_are_not_found(one: Path, phrase: str):
    assert search(one, [phrase]).places == []


def test_what_stands_around_it_is_shown():
    text = f"{'before ' * 30}the dedicated\n server{' after' * 30}."
    assert around(text, ["dedicated server"]) == (
        f"... {'before ' * 10}the ",
        "dedicated server",
        f"{' after' * 13} ...",
    )
    assert around("Net 60 days.", ["net 60"]) == ("", "Net 60", " days.")
    assert around(f"{'x ' * 100}Société バス", ["other words", "societe バ ス"])[1:] == ("Société バス", "")
    assert around("Nothing of it", ["words"]) == ("", "", "Nothing of it")


def test_what_was_typed_is_words_and_phrases():
    assert phrases_of('"net 60" fees “late charge” terminat*') == ["net 60", "fees", "late charge", "terminat*"]
    assert phrases_of(' "" ') == []


def test_former_versions_are_not_found_and_their_indexes_go(root: Path):
    land_run(root, "r1", [batch(number, "r1") for number in range(3)])
    index_words(root, least=0)
    changed = batch(0, "r2", 2) | document_rows(filed(0, "r2"), document(0, "Net 90 days"))
    land_run(root, "r2", [changed])
    assert [search(root, [f"net {days}"]).contracts for days in (60, 90)] == [2, 1]
    assert index_words(root, least=0) == 2
    assert [search(root, [f"net {days}"]).contracts for days in (60, 90)] == [2, 1]
    before = indexes(root)
    compact(root, keep_days=0)
    assert set(indexes(root)) < set(before)
    assert [search(root, [f"net {days}"]).contracts for days in (60, 90)] == [2, 1]


def test_a_copy_is_found_in_its_original_alone(root: Path):
    again = filed(1, "r1", status="duplicate", duplicate_of=filed(0, "r1").document_id)
    land_run(root, "r1", [batch(0, "r1"), document_rows(again, document(1))])
    assert query(root, "SELECT count(*) FROM pages")[1] == [(2,)]
    assert [place.contract_id for place in search(root, ["net 60"]).places] == [filed(0, "r1").contract_id]


def test_large_files_are_indexed_by_the_keeping_commands(root: Path):
    page = document(0, "Net 60 days").pages[0]
    texts = [f"Net {number} days" for number in range(LEAST_ROWS)]
    pages = tuple(page.model_copy(update={"number": at, "text": text}) for at, text in enumerate(texts, 1))
    long = document(0).model_copy(update={"pages": pages})
    land_run(root, "r1", [batch(0, "r1") | document_rows(filed(0, "r1"), long)])
    before = search(root, ["net 77 days"])
    assert call_here("compact", "--keep-days", "0", "--warehouse", root).code == 0
    assert [name.partition("-")[0] for name in indexes(root)] == ["pages"]
    assert search(root, ["net 77 days"]) == before
    assert [place.page_number for place in before.places] == [78]


def test_an_index_that_cannot_be_written_is_told(root: Path, monkeypatch: pytest.MonkeyPatch):
    land_run(root, "r1", [batch(0, "r1")])
    monkeypatch.setattr(words, "_HASH_BYTES", "what SQLite takes for no size")
    with pytest.raises(WarehouseError, match="can't be indexed"):
        index_words(root, least=0)
    assert search(root, ["net 60"]).total == 1


def test_small_files_need_no_index(one: Path):
    assert index_words(one) == 0
    (file,) = (one / "lake" / "pages").iterdir()
    assert not index_of(one, "pages", f"lake/pages/{file.name}").exists()


def test_places_are_cut_and_still_counted(indexed: Path):
    every, first = search(indexed, ["agreement"], most_rows=1_000), search(indexed, ["agreement"], most_rows=2)
    assert len(every.places) == every.total == first.total > 2
    assert first.places == every.places[:2]


@pytest.mark.parametrize("phrase", ["", " -- ", '"*', "*"])
def test_what_has_no_word_is_refused(one: Path, phrase: str):
    with pytest.raises(QueryError, match="no word to search for"):
        search(one, ["fees", phrase])


@pytest.mark.parametrize("phrase", ['fees" OR "net', "fees NOT net", "text:fees", "NEAR(fees net)", "fees'); DROP--"])
def test_words_are_words_and_no_language(indexed: Path, phrase: str):
    assert search(indexed, [phrase]).total == 0


def test_the_command_shows_where_words_stand(indexed: Path):
    done = call_here("search", "limitation of liability", "--format", "json", "--rows", "2", "--warehouse", indexed)
    assert done.code == 0
    assert [row["page_number"] for row in done.rows] == [3, 3]
    assert all("limitation of liability" in row["found"].casefold() for row in done.rows)
    assert done.err == "Places (pages): 4; contracts: 4\n"
    clauses = call_here("search", "convenience", "--in", "clauses", "--format", "csv", "--warehouse", indexed)
    assert clauses.out.splitlines()[0] == "contract_id,title,counterparty,file_name,page_number,clause_type,found"
    nothing = call_here("search", "no such words at all", "--warehouse", indexed)
    assert nothing.code == 0 and nothing.err == "Places (pages): 0; contracts: 0\n"
    assert "no word to search for" in call_here("search", "!", "--warehouse", indexed).err


def test_an_empty_warehouse_has_nothing(bare: Path):
    assert search(bare, ["fees"]).total == 0
