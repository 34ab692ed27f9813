"""Forgetting a contract everywhere: in the warehouse, in what is kept between runs, in the record of requests, in what
people decided."""

from collections.abc import Collection
from functools import partial
from pathlib import Path

from extractors.engines.llm.ledger import Ledger
from flows.families import linker
from flows.night import KEEP_FOLDER, LEDGER, business_date
from review.landing import landing_lock
from review.store import FILE_NAME, Store
from schemas.playbook import load_playbooks
from schemas.settings import Settings
from warehouse.forget import Period, Traces
from warehouse.forget import forget as forget_rows
from warehouse.keep import Keep


def forget(place: Path | str, root: Path, contract_id: str, approver: str, settings: Settings) -> Traces:
    """Remove everything about a contract that another person asked to be forgotten. `root` is the folder, or the local
    copy, of the warehouse at `place`.

    Files of the inbox stay; the runs leave them alone from now on. Raises WarehouseError when it must stay.
    """
    closed = closed_periods(place, settings)
    relink = partial(linker, business_date(settings), load_playbooks(settings.playbook))
    folder = settings.review_folder(place)
    if not (folder / FILE_NAME).is_file():
        elsewhere = partial(_forget_kept, root / KEEP_FOLDER, settings.home)
        return forget_rows(root, contract_id, approver, closed, relink=relink, elsewhere=elsewhere)
    store = Store(folder)

    def erase(contract_ids: Collection[str]) -> None:
        _forget_kept(root / KEEP_FOLDER, settings.home, contract_ids)
        for gone in contract_ids:
            store.erase(gone, approver)

    with landing_lock(folder):  # what was decided must not land when the contract is gone
        traces = forget_rows(root, contract_id, approver, closed, relink=relink, elsewhere=erase)
        for gone in traces.contract_ids:
            if any(event.body for event in store.events(contract_id=gone)):  # decided in between
                store.erase(gone, approver)
    store.close()
    return traces


def closed_periods(place: Path | str, settings: Settings) -> tuple[Period, ...]:
    """The closed periods of the settings, and those locked on the review page."""
    folder = settings.review_folder(place)
    if not (folder / FILE_NAME).is_file():
        return settings.closed_periods
    store = Store(folder)
    locked = tuple((period.first, period.last) for period in store.periods())
    store.close()
    return (*settings.closed_periods, *locked)


def _forget_kept(folder: Path, home: Path, contract_ids: Collection[str]) -> None:
    from flows.lessons import forget as forget_lessons  # brings all that learns with it, and takes seconds

    forget_lessons(home, contract_ids)
    for contract_id in contract_ids:
        Keep(folder, contract_id).forget()
    if (folder / LEDGER).exists():
        Ledger(folder / LEDGER).erase(contract_ids)
