"""What people decided, landed: at the start of a night, every few minutes while `serve` runs, and by a command.

Prefect looks for modules beside `flows/deployments.py` first, so none here may have the name of a package.
"""

from pathlib import Path

from review.landing import Landed, land_decisions
from review.store import FILE_NAME, Store
from schemas.settings import Settings


def land_reviewed(place: Path | str, root: Path, settings: Settings) -> Landed:
    """Land the decisions on the warehouse at `place`, whose folder or local copy is `root`; nothing where nobody has
    decided anything yet.

    Raises ReviewError when the decisions can't be read, WarehouseError when the warehouse can't be written now.
    """
    folder = settings.review_folder(place)
    if not (folder / FILE_NAME).is_file():
        return Landed()
    store = Store(folder)
    try:
        return land_decisions(root, store)
    finally:
        store.close()
