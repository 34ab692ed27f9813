"""Every named question on the sample contracts, against what a person who reads them answers."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.gold import GOLD_FOLDER
from warehouse.questions import QUERY_FOLDER, ask
from warehouse.read import query

ANSWERS = yaml.safe_load(Path(__file__).with_name("answers.yaml").read_text(encoding="utf-8"))
ASKED = ("parameters", "csv")
FACTS = ("rows", "contracts", "not_contracts", "order", "values", "absent", "never", "filled")
REMARKS = ("why", "known_wrong")

Cells = dict[str, Any]


def answers_of(name: str) -> list[dict[str, Any]]:
    """The answers to a question, one or more."""
    answer = ANSWERS[name]
    return answer if isinstance(answer, list) else [answer]


def contracts_of(answer: dict[str, Any]) -> set[str]:
    """The contracts that an answer names."""
    listed = {name for fact in ("contracts", "not_contracts", "order") for name in answer.get(fact, ())}
    cells = [fact["where"] for fact in answer.get("values", ())] + answer.get("absent", [])
    return listed | {row["contract"] for row in cells if row.get("contract")}


def cases() -> list[Any]:
    """Each answer with its question, to be compared with what comes out."""
    return list(_cases())


def _cases() -> Iterator[Any]:
    for name in ANSWERS:
        for number, answer in enumerate(answers_of(name), 1):
            wrong = answer.get("known_wrong")
            marks = [pytest.mark.xfail(reason=wrong, raises=AssertionError, strict=True)] if wrong else []
            yield pytest.param(name, answer, id=f"{name}-{number}", marks=marks)


def test_every_question_has_an_answer():
    assert set(ANSWERS) == {path.stem for path in QUERY_FOLDER.glob("*.sql")}
    for name in ANSWERS:
        for answer in answers_of(name):
            assert set(answer) <= {*ASKED, *FACTS, *REMARKS} and set(answer) & set(FACTS), name
            assert answer.get("rows") != 0 or answer.get("why"), f"{name}: why is there nothing?"
            assert contracts_of(answer) <= {file.stem for file in GOLD_FOLDER.glob("*.json")}, name


@pytest.mark.parametrize(("name", "answer"), cases())
def test_the_answer_is_what_a_reader_finds(warehouse: Path, tmp_path: Path, name: str, answer: dict[str, Any]):
    rows = asked(warehouse, tmp_path, name, answer)
    held = {row["contract"] for row in rows}
    assert len(rows) == answer.get("rows", len(rows))
    assert set(answer.get("contracts", ())) - held == set()
    assert set(answer.get("not_contracts", ())) & held == set()
    if "order" in answer:
        assert list(dict.fromkeys(row["contract"] for row in rows)) == answer["order"]
    assert [wrong for fact in answer.get("values", ()) for wrong in differences(rows, **fact)] == []
    assert [cells for cells in answer.get("absent", ()) if matching(rows, cells)] == []
    for column, words in answer.get("never", {}).items():
        assert [row["contract"] for row in rows if says(row[column], words)] == []
    for column in answer.get("filled", ()):
        assert [row["contract"] for row in rows if row[column] in (None, "", [])] == []


def asked(warehouse: Path, folder: Path, name: str, answer: dict[str, Any]) -> list[Cells]:
    """The rows that the question gives, each with the name of its contract's gold as `contract`."""
    parameters = dict(answer.get("parameters", {}))
    for reference, text in answer.get("csv", {}).items():
        file = folder / f"{reference}.csv"
        file.write_text(text, encoding="utf-8")
        parameters[reference] = str(file)
    columns, rows = ask(warehouse, name, **parameters)
    statement = "SELECT contract_id, file_name FROM documents WHERE status = 'landed'"
    names = {contract_id: Path(file).stem for contract_id, file in query(warehouse, statement)[1]}
    given = [dict(zip(columns, row, strict=True)) for row in rows]
    return [row | {"contract": names.get(row.get("contract_id"))} for row in given]


def differences(rows: Iterable[Cells], where: Cells, expect: Cells | None = None, **words: Cells) -> list[str]:
    """What no row that fits `where` has: the cells of `expect` and the words of `says`."""
    found = matching(rows, where)
    for row in found:
        if all(same(row[key], value) for key, value in (expect or {}).items()) and all(
            says(row[key], value) for key, value in words.get("says", {}).items()
        ):
            return []
    keys = {*(expect or {}), *words.get("says", {})}
    return [f"{where}: {[{key: row[key] for key in keys} for row in found] or 'no row'}"]


def matching(rows: Iterable[Cells], cells: Cells) -> list[Cells]:
    return [row for row in rows if all(same(row[key], value) for key, value in cells.items())]


def same(found: Any, expected: Any) -> bool:
    """Numbers to the cent, anything else exactly."""
    if isinstance(found, Decimal | float | int) and not isinstance(found, bool) and isinstance(expected, int | float):
        return abs(float(found) - expected) < 0.006
    if isinstance(expected, date) and isinstance(found, str):
        return found == expected.isoformat()
    return found == expected


def says(found: str | None, words: str) -> bool:
    return words.lower() in " ".join((found or "").lower().split())
