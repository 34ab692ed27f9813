"""What the tests of the loop share: contracts with systematic errors, a reviewer who knows the truth, and gold."""

import json
import shutil
from pathlib import Path
from typing import NamedTuple

from frontdoor import AGREEMENT, Done, call_here, write_pdf

from benchmarks.loop import DATE, Made, write
from warehouse.read import query

FIRST = 81
"""Of the contracts from this number on many are held back, so that few tell enough."""
GOLD = {
    "path": "agreement.pdf",
    "status": "landed",
    "capture_class": "digital",
    "terms": {"termination_for_convenience": "customer", "payment_terms_days": 60, "governing_law": "New York"},
    "flags": [{"rule_id": "M05"}],
}


class Round(NamedTuple):
    """A data folder with its warehouse, and what the contracts of its inbox truly say, by contract."""

    folder: Path
    truth: dict[str, Made]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse"

    def __call__(self, *arguments: object) -> Done:
        """A command on this warehouse."""
        return call_here(*arguments, "--warehouse", self.warehouse, CONTRACT_AGENT_HOME=str(self.home))

    def adopt(self, version: str, approver: str) -> Done:
        """`learn adopt`, with the small gold."""
        gold = ("--gold", self.folder / "gold", "--gold-inbox", self.folder / "gold_inbox")
        return self("learn", "adopt", version, "--approver", approver, "--reason", "tried", *gold, "--format", "json")

    def run(self) -> Done:
        """The night over the contracts."""
        return self("run", self.folder / "inbox", "--date", DATE)

    def versions(self) -> list[str]:
        """What was learnt so far."""
        return sorted(file.stem for file in (self.home / "learned").glob("learned-*.json"))

    def copy(self, folder: Path) -> "Round":
        """The same in another folder; its inbox stays where it is."""
        shutil.copytree(self.folder, folder)
        return Round(folder, self.truth)


def first_night(folder: Path, count: int) -> Round:
    """So many contracts, read once, and gold beside them."""
    made = dict(write(folder / "inbox", count, FIRST))
    (folder / "gold").mkdir()
    (folder / "gold" / "agreement.json").write_text(json.dumps(GOLD), encoding="utf-8")
    write_pdf(folder / "gold_inbox" / "agreement.pdf", AGREEMENT)
    one = Round(folder, {})
    done = one.run()
    assert done.code == 0, done.err
    rows = query(one.warehouse, "SELECT contract_id, file_name FROM documents")[1]
    return Round(folder, {contract_id: made[name] for contract_id, name in rows})
