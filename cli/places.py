"""Where the warehouse of a command is."""

from pathlib import Path
from typing import Annotated

import typer

from schemas.settings import Settings, is_remote, place

WarehouseOption = Annotated[
    str | None,
    typer.Option("--warehouse", help="The warehouse: a folder or a URL; `warehouse/` in the data folder if not given."),
]


def warehouse_place(settings: Settings, given: str | None) -> Path | str:
    """The folder or URL that was given, else that of the settings."""
    return place(given) if given else settings.warehouse_place


def warehouse_folder(settings: Settings, given: str | None) -> Path:
    """The folder to work in: the warehouse's own, or the local copy of one elsewhere, brought up to date."""
    where = warehouse_place(settings, given)
    folder = settings.local_folder(where)
    if not is_remote(where):
        return folder
    from warehouse.remote import opened

    return opened(where, folder)
