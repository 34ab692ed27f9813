"""`contract-agent review`: the review page alone."""

from typing import Annotated

import typer

from cli.places import WarehouseOption, warehouse_folder, warehouse_place
from schemas.settings import load_settings

HostOption = Annotated[str, typer.Option("--host", help="Where to listen; beyond loopback only with accounts.")]


def review(
    host: HostOption = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port.")] = 8321,
    warehouse: WarehouseOption = None,
) -> None:
    """Serve the review page, on which people confirm and correct the night's work, until stopped."""
    from review.server import serve

    settings = load_settings()
    warehouse_folder(settings, warehouse)  # a place that can't be reached is told before anybody signs in
    serve(settings, warehouse_place(settings, warehouse), host=host, port=port)
