"""Commands that keep the warehouse: going back, compacting, forgetting, legal holds."""

from typing import Annotated

import typer

from cli.places import WarehouseOption, warehouse_folder, warehouse_place
from schemas.settings import load_settings

Who = Annotated[str, typer.Option("--by", help="Who does it; stands in the audit.")]
Why = Annotated[str, typer.Option("--reason", help="Why; stands in the audit.")]
ContractArgument = Annotated[str, typer.Argument(help="A contract id or a file name of the warehouse.")]


def rollback(
    moment: Annotated[str, typer.Argument(help="A run's id, or a date as YYYY-MM-DD: its last run.")],
    by: Who,
    reason: Why,
    warehouse: WarehouseOption = None,
) -> None:
    """Make a former state the current one again. Nothing is deleted, and decisions stay."""
    from warehouse.history import roll_back

    manifest = roll_back(warehouse_folder(load_settings(), warehouse), moment, by, reason)
    typer.echo(f"The warehouse stands as it did after {moment} (manifest {manifest.number}).")
    typer.echo("The next run of the inbox takes up again what was taken back.")


def compact(
    keep_days: Annotated[float, typer.Option(min=0, help="Days that former files stay for open readers.")] = 7,
    warehouse: WarehouseOption = None,
) -> None:
    """Make few large files of many small ones, and remove those that nothing rests on any more."""
    from warehouse.ahead import work_ahead
    from warehouse.compact import compact as rewrite

    root = warehouse_folder(load_settings(), warehouse)
    done = rewrite(root, keep_days=keep_days)
    work_ahead(root)
    size = f"{done.bytes_before / 1e6:,.1f} MB -> {done.bytes_after / 1e6:,.1f} MB"
    typer.echo(f"{done.files_before} files -> {done.files_after}, {size}; former versions are kept apart.")


def forget(
    contract: ContractArgument,
    by: Who,
    reason: Annotated[str, typer.Option("--reason", help="Why; needed to ask, stands in the audit.")] = "",
    approve: Annotated[bool, typer.Option("--approve", help="Do it: another person asked for it before.")] = False,
    warehouse: WarehouseOption = None,
) -> None:
    """Erase a contract. One person asks for it, another approves; then no byte of its text is left here."""
    from flows.forget import closed_periods
    from flows.forget import forget as erase
    from warehouse.forget import ask_to_forget, find

    settings = load_settings()
    root, where = warehouse_folder(settings, warehouse), warehouse_place(settings, warehouse)
    contract_id = find(root, contract)
    if not approve:
        if not reason:
            raise typer.BadParameter("say why with --reason")
        ask_to_forget(root, contract_id, by, reason, closed_periods(where, settings))
        typer.echo(f"Noted. Another person does it with `contract-agent forget {contract_id} --approve --by NAME`.")
        return
    traces = erase(where, root, contract_id, by, settings)
    typer.echo(
        f"Forgotten: {', '.join(traces.contract_ids)}. The audit keeps the hash of the file, so no run reads it."
    )
    for source in traces.sources:
        typer.echo(f"Still where it came from, to be deleted there: {source}")


def hold(
    contract: ContractArgument,
    by: Who,
    reason: Why,
    end: Annotated[bool, typer.Option("--release", help="End the hold.")] = False,
    warehouse: WarehouseOption = None,
) -> None:
    """Put a contract under legal hold, so that nobody can have it forgotten, or end that."""
    from warehouse.forget import find, release
    from warehouse.forget import hold as put_on_hold

    root = warehouse_folder(load_settings(), warehouse)
    contract_id = find(root, contract)
    (release if end else put_on_hold)(root, contract_id, by, reason)
    typer.echo(f"{contract_id} is {'released' if end else 'under legal hold'}.")
