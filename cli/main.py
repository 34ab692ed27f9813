"""The commands of `contract-agent`. Each one reads its settings, calls one function below, and shows the result.

What costs time to import is imported where it is used: `contract-agent sql` should answer at once.
"""

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from cli import keeping, review, serve_review
from cli.learn import app as learn_app
from cli.places import WarehouseOption, warehouse_folder, warehouse_place
from cli.playbook import app as playbook_app
from cli.show import rows_as
from schemas.errors import ContractAgentError, SettingsError
from schemas.settings import load_settings, place

app = typer.Typer(
    help="Reads signed contracts overnight; in the morning their terms stand in a warehouse, each with its quotation.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


app.add_typer(playbook_app, name="playbook")
review.register(app)
app.add_typer(learn_app, name="learn")
for command in (keeping.rollback, keeping.compact, keeping.forget, keeping.hold):
    app.command()(command)
app.command()(serve_review.review)


class Extractor(StrEnum):
    """The engines that can be chosen."""

    embedded = "embedded"
    openai = "openai"
    auto = "auto"


class BackfillMode(StrEnum):
    """Which documents a backfill takes."""

    missing = "missing"
    failed = "failed"
    stale = "stale"
    all = "all"


class Where(StrEnum):
    """The texts that are searched."""

    pages = "pages"
    clauses = "clauses"


class FromStage(StrEnum):
    """The first step that a backfill does anew."""

    read = "read"
    extract = "extract"
    flag = "flag"
    land = "land"


class Format(StrEnum):
    """How rows are shown."""

    table = "table"
    csv = "csv"
    json = "json"


ExtractorOption = Annotated[Extractor | None, typer.Option(help="Which engine reads; embedded needs no key.")]
PlaybookOption = Annotated[
    str | None, typer.Option(help="One playbook pack, or the path of your own file; all packs when not given.")
]
AsOfOption = Annotated[str | None, typer.Option("--as-of", help="A date or a run's id: everything as it stood then.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How to show the rows.")]


@app.command()
def run(
    inbox: Annotated[str, typer.Argument(help="The folder that holds the contracts, or its URL.")],
    warehouse: WarehouseOption = None,
    extractor: ExtractorOption = None,
    playbook: PlaybookOption = None,
    business_date: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Business date.")
    ] = None,
) -> None:
    """Read everything new in a folder and publish it. The last line printed is a summary in JSON."""
    from flows.night import Request, night

    settings = load_settings(extractor=extractor and extractor.value, playbook=playbook)
    request = Request(
        inbox=inbox,
        warehouse=warehouse_folder(settings, warehouse),
        business_date=business_date and business_date.date(),
    )
    with _progress() as watch:
        summary = night(request, settings, watch=watch)
    typer.echo(summary.model_dump_json())


@app.command()
def backfill(
    mode: Annotated[BackfillMode, typer.Option(help="Which documents to take.")] = BackfillMode.missing,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of arrival.")
    ] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day of arrival.")] = None,
    contract_id: Annotated[list[str] | None, typer.Option(help="Only these contracts; may be given again.")] = None,
    from_stage: Annotated[FromStage, typer.Option(help="First step to do anew.")] = FromStage.land,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do, and send.")] = False,
    max_cost: Annotated[
        float | None, typer.Option(min=0, help="Most US dollars to spend; embedded costs none.")
    ] = None,
    inbox: Annotated[str | None, typer.Option(help="Folder or URL; that of the last run when not given.")] = None,
    warehouse: WarehouseOption = None,
    extractor: ExtractorOption = None,
    playbook: PlaybookOption = None,
) -> None:
    """Process documents again, or those that were missed."""
    from flows.backfill import Backfill, backfill_request
    from flows.night import forecast, night

    settings = load_settings(extractor=extractor and extractor.value, playbook=playbook)
    form = Backfill(
        mode=mode.value,
        from_date=first and first.date(),
        to_date=last and last.date(),
        contract_ids=list(contract_id or ()),
        from_stage=from_stage.value,
        dry_run=dry_run,
        max_cost=max_cost,
    )
    request = backfill_request(form, settings, warehouse_folder(settings, warehouse), inbox)
    if dry_run and (planned := forecast(request, settings)):
        typer.echo(planned)
    with _progress() as watch:
        summary = night(request, settings, watch=watch)
    typer.echo(summary.model_dump_json())


@app.command()
def sql(
    statement: Annotated[str, typer.Argument(help="One SELECT.")],
    as_of: AsOfOption = None,
    format: FormatOption = Format.table,
    warehouse: WarehouseOption = None,
) -> None:
    """Ask the published warehouse anything, read-only."""
    from warehouse.read import query as ask_sql

    columns, rows = ask_sql(warehouse_folder(load_settings(), warehouse), statement, as_of=as_of)
    rows_as(format.value, columns, rows)


@app.command()
def query(
    name: Annotated[str | None, typer.Argument(help="The question's name.")] = None,
    parameters: Annotated[list[str] | None, typer.Argument(help="Parameters as name=value.")] = None,
    list_all: Annotated[bool, typer.Option("--list", help="One line a question, its name first.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show the question, its parameters and its SQL.")] = False,
    as_of: AsOfOption = None,
    format: FormatOption = Format.table,
    warehouse: WarehouseOption = None,
) -> None:
    """Answer a named question."""
    from warehouse.questions import ask, explained, named, questions

    if explain and name:
        typer.echo(explained(named(name)))
        return
    if list_all or name is None:
        for question in questions():
            typer.echo(f"{question.name}  {question.question}")
        return
    given = dict(_pair(text) for text in parameters or ())
    columns, rows = ask(warehouse_folder(load_settings(), warehouse), name, as_of=as_of, **given)
    rows_as(format.value, columns, rows)


@app.command()
def ask(
    words: Annotated[list[str], typer.Argument(help="Your question, in your own words.")],
    extractor: ExtractorOption = None,
    seconds: Annotated[float | None, typer.Option(help="Longest time for SQL that a model wrote.")] = None,
    rows: Annotated[int | None, typer.Option(help="Most rows to show.")] = None,
    format: FormatOption = Format.table,
    warehouse: WarehouseOption = None,
) -> None:
    """Ask in plain language: the nearest named question, or with openai SQL that a model writes."""
    from cli.ask import answer

    settings = load_settings(extractor=extractor and extractor.value, ask_seconds=seconds, ask_rows=rows)
    answer(" ".join(words), settings, warehouse_folder(settings, warehouse), format.value)


@app.command()
def search(
    words: Annotated[list[str], typer.Argument(help="Words; several within quotation marks stand together.")],
    where: Annotated[Where, typer.Option("--in", help="Where they have to stand.")] = Where.pages,
    rows: Annotated[int, typer.Option(min=1, help="Most places to show.")] = 50,
    format: FormatOption = Format.table,
    warehouse: WarehouseOption = None,
) -> None:
    """Find words in all contracts: on which page they stand, and what stands around them."""
    from warehouse.search import MOST_PLACES
    from warehouse.search import search as search_in

    found = search_in(warehouse_folder(load_settings(), warehouse), words, where.value, rows)
    shown = ["contract_id", "title", "counterparty", "file_name", "page_number"]
    shown += ["clause_type"] if where is Where.clauses else []
    rows_as(
        format.value,
        [*shown, "found"],
        [[*(getattr(at, name) for name in shown), at.before + at.words + at.after] for at in found.places],
    )
    many = f"{MOST_PLACES:,} or more" if found.is_more else f"{found.total:,}"
    typer.echo(f"Places ({where.value}): {many}; contracts: {found.contracts:,}", err=True)


@app.command()
def brief(warehouse: WarehouseOption = None) -> None:
    """Show what the night brought: new contracts, what is not standard and why, deadlines ahead."""
    from warehouse.brief import brief as morning
    from warehouse.brief import render

    typer.echo(render(morning(warehouse_folder(load_settings(), warehouse))))


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="What to write: .xlsx, .ics, .csv or .parquet.")],
    sheet: Annotated[
        str, typer.Option("--sheet", help="For .csv and .parquet: a sheet of the workbook, or any table or view.")
    ] = "Non-standard",
    warehouse: WarehouseOption = None,
) -> None:
    """Write the reviewers' workbook, the calendar of renewals and deadlines, or one sheet as CSV or Parquet."""
    from cli.exchange import write

    typer.echo(f"Wrote {write(warehouse_folder(load_settings(), warehouse), out, sheet)}")


@app.command("import")
def import_workbook(
    workbook: Annotated[Path, typer.Argument(help="The workbook of `export`, with the coloured columns filled in.")],
    reviewer: Annotated[str | None, typer.Option(help="Who decided, where the column reviewer is empty.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be taken and refused.")] = False,
    warehouse: WarehouseOption = None,
) -> None:
    """Take the reviewers' decisions back. The exit code is 1 when some were refused; the others are taken."""
    from cli.exchange import import_report

    settings = load_settings()
    folder = settings.review_folder(warehouse_place(settings, warehouse))
    root = warehouse_folder(settings, warehouse)
    lines, complete = import_report(root, workbook, reviewer, dry_run, folder, settings.review_materiality)
    for line in lines:
        typer.echo(line)
    if not complete:
        raise typer.Exit(1)


@app.command()
def compare(
    contracts: Annotated[list[str], typer.Argument(help="Files, contract ids or file names of the warehouse.")],
    terms: Annotated[str, typer.Option(help="Terms with commas between them; the usual ones when not given.")] = "",
    format: FormatOption = Format.table,
    warehouse: WarehouseOption = None,
) -> None:
    """Show the terms of two contracts or more side by side, each with its page and quotation."""
    from cli.compare import side_by_side

    settings = load_settings()
    wanted = [name.strip() for name in terms.split(",") if name.strip()]
    columns, rows = side_by_side(contracts, wanted, settings, warehouse_folder(settings, warehouse))
    rows_as(format.value, columns, rows)


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="The former version: a file, or our standard form.")],
    new: Annotated[Path, typer.Argument(help="The later version, or what the other side sent.")],
    html: Annotated[Path | None, typer.Option(help="Write the redline as a page, too.")] = None,
    format: FormatOption = Format.table,
) -> None:
    """Compare two versions clause by clause, and say which positions of the playbook came or went."""
    from cli.compare import Position, changed_rows, difference
    from extractors.redline import as_html

    found = difference(old, new, load_settings())
    if html:
        html.write_text(as_html(found.changes, found.old_name, found.new_name), encoding="utf-8")
        typer.echo(f"Wrote {html}", err=True)
    rows_as(format.value, *changed_rows(found))
    if format is Format.table:
        typer.echo("Positions of the playbook:")
        rows_as(format.value, Position._fields, found.positions)


@app.command()
def summary(
    contract: Annotated[str, typer.Argument(help="A contract id or a file name of the warehouse.")],
    warehouse: WarehouseOption = None,
) -> None:
    """One contract on a page, each sentence with the page it rests on."""
    from warehouse.summary import summary as one_page

    typer.echo(one_page(warehouse_folder(load_settings(), warehouse), contract))


@app.command()
def serve(
    inbox: Annotated[str | None, typer.Option(help="The folder that the schedule reads, or its URL.")] = None,
    warehouse: WarehouseOption = None,
    port: Annotated[int, typer.Option(help="Port of the Prefect server on loopback.")] = 4200,
    review_host: Annotated[
        str, typer.Option(help="Where the review page listens; beyond loopback only with accounts.")
    ] = "127.0.0.1",
    review_port: Annotated[
        int | None, typer.Option(help="Port of the review page; 8321, or any where that is taken.")
    ] = None,
) -> None:
    """Run the Prefect server, the night schedule, the backfill form and the review page, until stopped."""
    from flows.serve import serve as serve_all

    settings = load_settings(inbox=inbox and place(inbox))
    warehouse_folder(settings, warehouse)  # a place that can't be reached is told now, not at night
    where = warehouse_place(settings, warehouse)
    serve_all(settings, where, port, review_host=review_host, review_port=review_port)


@app.command()
def deploy(
    pool: Annotated[str, typer.Argument(help="The work pool; made if it is not there.")],
    inbox: Annotated[Path | None, typer.Option(help="The folder that the schedule reads.")] = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Put the flows onto a work pool of the Prefect server at PREFECT_API_URL, for any number of workers."""
    from flows.deploy import deploy as deploy_all

    settings = load_settings(inbox=inbox and inbox.resolve())
    deploy_all(settings, warehouse_place(settings, warehouse), pool)
    typer.echo(f"Deployed nightly, backfill and part. On each machine: prefect worker start --pool {pool}")


@app.command()
def doctor(
    warehouse: WarehouseOption = None,
    live: Annotated[bool, typer.Option("--live", help="Ask the provider of the openai extractor something.")] = False,
) -> None:
    """Say what is installed, what is missing, and the command that installs it."""
    from cli.doctor import report

    settings = load_settings()
    lines, healthy = report(settings, warehouse_folder(settings, warehouse), live)
    for line in lines:
        typer.echo(line)
    if not healthy:
        raise typer.Exit(1)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def benchmark(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(help="cuad, evidence, japanese_terms, kleister, ocr, night, scale, workbook and others."),
    ],
) -> None:
    """Measure quality or speed; `benchmark NAME --help` tells the arguments."""
    from cli.benchmarks import main as measure

    measure(name, context.args)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise SettingsError(f"{text!r} is not a parameter.", help="Write it as name=value.")
    return name, value


def _progress():
    from cli.show import progress

    return progress()


def main() -> NoReturn:
    """The entry point: errors that a person can act on go to standard error, and the exit code is 1."""
    try:
        app()
    except ContractAgentError as error:
        print(f"Error [{error.code}]: {error.message}", file=sys.stderr)
        if error.help:
            print(f"  {error.help}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        sys.exit(0)
    sys.exit(0)
