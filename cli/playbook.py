"""`contract-agent playbook`: check a company's own file, see what it would change, list the rules in force."""

from pathlib import Path
from typing import Annotated

import typer

from schemas.playbook import load_playbooks
from schemas.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Check a playbook of your own, and see what it would change.")

FileArgument = Annotated[Path, typer.Argument(help="Your playbook, a YAML file.")]


@app.command()
def check(file: FileArgument) -> None:
    """Say whether a playbook is well formed; what is wrong is told with its line and what to do."""
    playbook = load_playbooks(_yaml(file))
    own = [rule for rule in playbook.rules if rule.version.endswith("+own")]
    base = load_playbooks().library
    added = [rule.id for rule in playbook.rules if rule.id not in base]
    typer.echo(f"{file.name} is well formed: {len(playbook.rules)} rules in force, version {playbook.version}.")
    typer.echo(f"Overridden: {', '.join(rule.id for rule in own) or 'none'}. Added: {', '.join(added) or 'none'}.")
    typer.echo(f"Exceptions: {len(playbook.exceptions)}.")


@app.command()
def backtest(
    file: FileArgument,
    inbox: Annotated[str | None, typer.Option(help="Folder or URL; that of the last run when not given.")] = None,
    warehouse: Annotated[str | None, typer.Option(help="The warehouse: a folder or a URL.")] = None,
    format: Annotated[str, typer.Option(help="table, csv or json.")] = "table",
) -> None:
    """Show which flags a playbook would add, take away or change, before it is adopted. Nothing is written."""
    from cli.places import warehouse_folder
    from cli.show import rows_as
    from flows.backfill import Backfill, backfill_request
    from flows.backtest import Difference
    from flows.backtest import backtest as compare

    settings = load_settings()
    folder = warehouse_folder(settings, warehouse)
    request = backfill_request(Backfill(mode="all"), settings, folder, inbox)
    result = compare(request, settings, _yaml(file))
    rows_as(format, Difference._fields, result.differences)
    counts = {kind: sum(one.change == kind for one in result.differences) for kind in ("new", "gone", "changed")}
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    typer.echo(f"{result.judged} contracts judged: {told}.", err=True)
    if result.not_kept:
        typer.echo(f"{result.not_kept} contracts could not be judged: run `contract-agent backfill` first.", err=True)


@app.command("list")
def list_rules(playbook: Annotated[str | None, typer.Argument(help="A pack's name or your file.")] = None) -> None:
    """The rules in force, one a line."""
    for rule in load_playbooks(playbook).rules:
        typer.echo(f"{rule.id}  {rule.side:6}  {rule.title}: {rule.standard}")


def _yaml(file: Path) -> str:
    """The path as a name that says it is one."""
    return str(file.with_suffix(".yaml") if file.suffix not in (".yaml", ".yml") else file)
