"""How long a changed rule takes: contracts flagged anew without being read or extracted.

    contract-agent benchmark reflag [--sizes 100 200 400]

Short agreements are made up and run once; then a playbook with another threshold is adopted and the run is repeated.
Printed are seconds of the second run, milliseconds a contract, and how the time grows with their number (1 is linear).
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Sequence
from datetime import date, timedelta
from math import log
from pathlib import Path

from benchmarks.deals import TODAY, US, master_text, print_pdf
from flows.night import Request, night
from schemas.settings import load_settings

OWN = "overrides:\n  - {rule: R01, limits: [{was: 45, now: 40}]}\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Prints a row a size and the same as JSON."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark reflag", description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 200, 400])
    sizes = parser.parse_args(argv).sizes
    seconds = {size: reflagged(size) for size in sizes}
    for size, taken in seconds.items():
        print(f"{size:7} contracts  {taken:7.1f} s  {1000 * taken / size:6.1f} ms each")
    first, last = min(sizes), max(sizes)
    exponent = log(seconds[last] / seconds[first]) / log(last / first) if last > first else 1.0
    print(f"growth exponent {exponent:.2f}")
    print(json.dumps({"seconds": seconds, "exponent": exponent}))
    return 0


def reflagged(count: int) -> float:
    """Seconds of a run over so many held contracts in which only a rule changed."""
    chance = random.Random(count)
    with tempfile.TemporaryDirectory() as folder:
        inbox, own = Path(folder) / "inbox", Path(folder) / "own.yaml"
        inbox.mkdir()
        own.write_text(OWN, encoding="utf-8")
        for number in range(count):
            signed = date(2024, 1, 5) + timedelta(days=chance.randrange(500))
            text = master_text(
                "Master Services Agreement", f"Customer {number} LLC", signed, 40 + number % 9, 24, chance
            )
            print_pdf(inbox / f"{number:05}.pdf", text)
        settings = load_settings().model_copy(update={"our_entities": (US,)})
        request = Request(inbox=inbox, warehouse=Path(folder) / "warehouse", business_date=TODAY)
        night(request, settings)
        begun = time.perf_counter()
        night(request, settings.model_copy(update={"playbook": str(own)}))
        return time.perf_counter() - begun
