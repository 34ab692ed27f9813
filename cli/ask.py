"""`contract-agent ask`: plain words, answered by the nearest named question or, with a key, by SQL that a model writes.

The model gets the question and the names of tables and columns. What it writes is shown, checked and run within limits;
rows never go back to it. Where the provider fails the nearest named question answers, and says so.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

import typer

from cli.show import rows_as
from extractors.extract import choose
from schemas.errors import ExtractorUnavailable, QueryError
from schemas.llm import LEDGER, LlmSettings, RequestRecord
from schemas.settings import Settings
from warehouse.ask import SHOWN, Understood, answer_offline, ask_offline
from warehouse.citations import Citation, citations
from warehouse.read import Cut

MOST_CITATIONS = 20
LONGEST_QUOTE = 120

Say = Callable[[str], None]


def answer(words: str, settings: Settings, root: Path, format: str) -> None:
    """Print what was understood, the rows and where they stand. Beside a table that goes to standard error.

    Raises QueryError where there is no answer, naming the nearest questions.
    """
    say = partial(typer.echo, err=format != "table")
    if choose(settings.extractor) == "openai":
        found = _by_model(words, settings, root, say)
    else:
        found = _by_question(words, settings, root, say)
    rows_as(format, found.columns, found.rows)
    if found.is_cut:
        say(f"Cut at --rows {settings.ask_rows}: there are more rows.")
    _say_citations(citations(root, found.columns, found.rows), say)


def _by_question(words: str, settings: Settings, root: Path, say: Say) -> Cut:
    """The answer of the nearest named question. Raises QueryError with the nearest ones where none is near enough."""
    understood = ask_offline(words)
    if understood.taken is None:
        raise QueryError(
            "No named question is near enough to that.", help=_nearest(understood), code="no_near_question"
        )
    say(f"Question: {understood.taken.question}")
    say(f"The same again: {understood.command}")
    if understood.unused:
        say(f"Took no account of: {', '.join(understood.unused)}")
    columns, rows = answer_offline(root, understood)
    return Cut(columns, rows[: settings.ask_rows], len(rows) > settings.ask_rows)


def _nearest(understood: Understood) -> str:
    if not understood.near:
        return "`contract-agent query --list` shows all questions; with a key, --extractor openai asks a model."
    shown = [f"{near.question.name}  {near.question.question}" for near in understood.near[:SHOWN]]
    search = "`contract-agent search` finds words in the contracts themselves."
    return "\n  ".join(["The nearest are:", *shown]) + f"\n{search}"


def _by_model(words: str, settings: Settings, root: Path, say: Say) -> Cut:
    """The answer of SQL that a model writes, or of the nearest named question where the provider fails."""
    from extractors.sql_writer import sql_writer
    from warehouse.described import described

    tables = described(root)
    with sql_writer(_llm(settings, root), tables) as writer:
        try:
            return _of_sql(words, writer, settings, root, say)
        except ExtractorUnavailable as error:
            say(f"No SQL was written: {error}")
            say("The nearest named question answers instead.")
        finally:
            _say_sent(writer.records, say)
    return _by_question(words, settings, root, say)


def _of_sql(words: str, writer, settings: Settings, root: Path, say: Say) -> Cut:
    """Asks a second time where the statement fails, with what is wrong with it but no value of the warehouse."""
    from warehouse.read import query_within, why_unbound

    sql = _written(words, writer, say)
    try:
        return query_within(root, sql, settings.ask_seconds, settings.ask_rows)
    except QueryError as error:
        if error.code != "query":
            raise
        say(error.message)
    problem = why_unbound(root, sql) or "An error while it ran. Be careful with types and formats of values."
    sql = _written(words, writer, say, sql, problem)
    return query_within(root, sql, settings.ask_seconds, settings.ask_rows)


def _written(words: str, writer, say: Say, failed: str | None = None, problem: str | None = None) -> str:
    """The statement, shown. Raises QueryError where the model says that the tables can't answer."""
    written = writer.write(words, failed, problem)
    if written.cannot or not written.sql:
        message = f"The model finds no answer in the tables: {_plain(written.why or 'it gives no reason')}"
        raise QueryError(message, help=_nearest(ask_offline(words)), code="cannot_answer")
    say(f"SQL: {_plain(written.sql)}")
    if written.explanation:
        say(f"That is: {_plain(written.explanation)}")
    return written.sql


def _llm(settings: Settings, root: Path) -> LlmSettings:
    run_id = f"ask-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"
    return settings.llm(root / LEDGER, run_id)


def _say_sent(records: Sequence[RequestRecord], say: Say) -> None:
    sent = [record for record in records if record.paid]
    if not records:
        return
    if not sent:
        say("Nothing was sent: the answer was in the ledger.")
        return
    size, cost = sum(record.bytes_sent for record in sent), sum(record.cost_usd for record in sent)
    say(
        f"Sent to {sent[0].host}: your question and the names of tables and columns, no rows; {size:,} bytes, "
        f"{cost:.4f} US dollars."
    )


def _say_citations(found: Sequence[Citation], say: Say) -> None:
    if not found:
        return
    say("Stands in:")
    for citation in found[:MOST_CITATIONS]:
        page = f", page {citation.page_number}" if citation.page_number else ""
        quote = f': "{_short(citation.quote)}"' if citation.quote else ""
        say(f"  {_plain(citation.file_name)}{page}{quote}")
    if len(found) > MOST_CITATIONS:
        say(f"  and {len(found) - MOST_CITATIONS} more places")


def _short(quote: str) -> str:
    text = _plain(" ".join(quote.split()))
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}..."


def _plain(text: str) -> str:
    """The text without characters that would steer a terminal."""
    return "".join(char for char in text if char.isprintable() or char in "\n\t")
