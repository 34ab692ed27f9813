"""Forgetting a contract everywhere: in the warehouse, in what is kept between runs, in the record of requests."""

from collections.abc import Collection
from functools import partial
from pathlib import Path

from extractors.engines.llm.ledger import Ledger
from flows.families import linker
from flows.lessons import forget as forget_lessons
from flows.night import KEEP_FOLDER, LEDGER, business_date
from schemas.playbook import load_playbooks
from schemas.settings import Settings
from warehouse.forget import Traces
from warehouse.forget import forget as forget_rows
from warehouse.keep import Keep


def forget(root: Path, contract_id: str, approver: str, settings: Settings) -> Traces:
    """Remove everything about a contract that another person asked to be forgotten.

    Files of the inbox stay; the runs leave them alone from now on. Raises WarehouseError when it must stay.
    """
    relink = partial(linker, business_date(settings), load_playbooks(settings.playbook))
    elsewhere = partial(_forget_kept, root / KEEP_FOLDER, settings.home)
    return forget_rows(root, contract_id, approver, settings.closed_periods, relink=relink, elsewhere=elsewhere)


def _forget_kept(folder: Path, home: Path, contract_ids: Collection[str]) -> None:
    forget_lessons(home, contract_ids)
    for contract_id in contract_ids:
        Keep(folder, contract_id).forget()
    if (folder / LEDGER).exists():
        Ledger(folder / LEDGER).erase(contract_ids)
