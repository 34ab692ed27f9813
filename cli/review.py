"""Commands around the review page: accounts, the audit log, landing what was decided."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.places import WarehouseOption, warehouse_folder, warehouse_place
from schemas.settings import Settings, load_settings

if TYPE_CHECKING:
    from review.accounts import Accounts
    from review.store import Store

account_app = typer.Typer(help="Who may sign in to the review page.", no_args_is_help=True)
audit_app = typer.Typer(help="The log of what people looked at and decided.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="The account's name.")]
StdinOption = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


class RoleName(StrEnum):
    """Each may do what those before it may."""

    viewer = "viewer"
    reviewer = "reviewer"
    approver = "approver"
    admin = "admin"


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(account_app, name="account")
    app.add_typer(audit_app, name="audit")
    app.command("land-decisions")(land_decisions)


@account_app.command("add")
def add_account(
    name: NameArgument,
    role: Annotated[RoleName, typer.Option(help="What they may do.")] = RoleName.reviewer,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Only a trusted proxy signs in with this account.")
    ] = False,
    from_stdin: StdinOption = False,
    warehouse: WarehouseOption = None,
) -> None:
    """Make an account. The password is asked for, or read from standard input."""
    from review.accounts import this_user

    accounts = _accounts(warehouse)
    password = None if no_password else _password(from_stdin)
    account = accounts.add(name, role.value, password, by=this_user())
    typer.echo(f"{account.name} may sign in as {account.role}.")


@account_app.command("list")
def list_accounts(warehouse: WarehouseOption = None) -> None:
    """Show all accounts."""
    for account in _accounts(warehouse).all():
        more = [
            *(["disabled"] if account.is_disabled else []),
            *([] if account.has_password else ["by a trusted proxy only"]),
        ]
        typer.echo("  ".join([account.name, account.role, *more]))


@account_app.command("role")
def change_role(
    name: NameArgument,
    role: Annotated[RoleName, typer.Argument(help="What they may do from now on.")],
    warehouse: WarehouseOption = None,
) -> None:
    """Give an account another role."""
    from review.accounts import this_user

    account = _accounts(warehouse).set_role(name, role.value, by=this_user())
    typer.echo(f"{account.name} is {account.role}.")


@account_app.command("disable")
def disable_account(
    name: NameArgument,
    enable: Annotated[bool, typer.Option("--enable", help="Let them sign in again.")] = False,
    warehouse: WarehouseOption = None,
) -> None:
    """Let nobody sign in with an account, and end its sessions."""
    from review.accounts import this_user

    account = _accounts(warehouse).disable(name, by=this_user(), enable=enable)
    typer.echo(f"{account.name} is {'disabled' if account.is_disabled else 'enabled'}.")


@account_app.command("password")
def change_password(name: NameArgument, from_stdin: StdinOption = False, warehouse: WarehouseOption = None) -> None:
    """Give an account another password, and end its sessions."""
    from review.accounts import this_user

    account = _accounts(warehouse).set_password(name, _password(from_stdin), by=this_user())
    typer.echo(f"{account.name} has a new password.")


@audit_app.command("export")
def export_audit(
    out: Annotated[Path, typer.Argument(help="The CSV to write.")],
    after: Annotated[int, typer.Option(min=0, help="Only events with greater numbers.")] = 0,
    warehouse: WarehouseOption = None,
) -> None:
    """Write the log as CSV, with the hash of each event. It may hold words of contracts."""
    from review.accounts import this_user
    from review.audit import export_csv

    count = export_csv(_store(warehouse), out, by=this_user(), after=after)
    typer.echo(f"Wrote {count} events to {out}")


@audit_app.command("verify")
def verify_audit(
    exported: Annotated[
        Path | None, typer.Option("--export", help="An export of former times that it must agree with.")
    ] = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Check the log's chain of hashes, against itself and against what was landed. The exit code is 1 when it does not
    hold."""
    from review.audit import witnesses_of
    from review.landing import witnesses
    from warehouse.manifest import committed

    store, root = _store(warehouse), warehouse_folder(load_settings(), warehouse)
    seen = witnesses(root) if committed(root) else []
    if exported:
        seen += witnesses_of(exported)
    store.verify(seen)
    last = store.event(store.last())
    typer.echo(f"The log holds: {store.last()} events, {len(seen)} of them compared with what was written elsewhere.")
    if last:
        typer.echo(f"The last one is {last.sha256}, of {last.at:%Y-%m-%d %H:%M:%S} UTC.")


def land_decisions(warehouse: WarehouseOption = None) -> None:
    """Land what was decided on the review page; what stands on something else by now becomes a conflict."""
    from flows.decisions import land_reviewed

    settings = load_settings()
    landed = land_reviewed(warehouse_place(settings, warehouse), warehouse_folder(settings, warehouse), settings)
    typer.echo(landed.model_dump_json())


def _review_folder(warehouse: str | None) -> tuple[Path, Settings]:
    settings = load_settings()
    return settings.review_folder(warehouse_place(settings, warehouse)), settings


def _store(warehouse: str | None) -> "Store":
    from review.store import Store

    return Store(_review_folder(warehouse)[0])


def _accounts(warehouse: str | None) -> "Accounts":
    from review.accounts import Accounts
    from review.store import Store

    folder, settings = _review_folder(warehouse)
    return Accounts(folder, Store(folder), settings)


def _password(from_stdin: bool) -> str:
    """From standard input its first line; else asked for twice, unseen."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return typer.prompt("Password", hide_input=True, confirmation_prompt=True)
