"""How time and memory grow with the number of contracts, and what a second Dask worker brings.

    contract-agent benchmark scale contracts FOLDER COUNT
    contract-agent benchmark scale night [--counts 100 300 1000]
    contract-agent benchmark scale dask [--count 200] [--workers 1 2]

The contracts are made on the spot: one page each, born digital, with parties, dates, amounts and wordings of their
own, so that no two count as near duplicates. A night of one contract a process tells what starting costs; the exponent
is given with and without it, for seconds and for processor seconds, which don't hang on what else the machine does.
"""

import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pymupdf

from warehouse.read import query

AGENT = Path(sys.executable).parent / "contract-agent"
EVERY = 0.25  # seconds between two looks at the memory

_WORDS = """amber anchor aspen atlas aurora bay beacon birch bluff boulder bramble bridge brook canyon cascade cedar
cliff cloud clover cobalt compass copper coral crane crest crystal cypress dawn delta dune eagle echo elm ember falcon
fern field fjord flint forge fox garnet glade glen granite grove gull harbor hawk hazel heron hill hollow indigo iris
island ivory jade juniper keystone lagoon lake lantern larch laurel ledge lily linden lunar maple marble marsh meadow
mesa mill mist moss mountain nectar north oak ocean olive onyx opal orchard orchid osprey otter pebble pelican pine
pioneer plum pond poplar prairie quarry quartz raven reed reef ridge river robin rowan saffron sage sand sequoia shore
sierra silver slate solar spruce spring star stone stream summit swift tern thistle thorn tide timber topaz trail
valley velvet violet vista walnut water willow wind winter wren yarrow zephyr"""
ENDINGS = ("Inc.", "LLC", "Corp.", "Ltd.", "L.P.", "GmbH")
_TRADES = "Software Foods Logistics Health Energy Media Freight Robotics Mills Analytics Textiles Optics"
_STATES = "New York|Delaware|California|Texas|Ohio|Washington|Illinois|Georgia|Colorado|Oregon"
_MONTHS = "January February March April May June July August September October November December"
WORDS, TRADES, STATES, MONTHS = _WORDS.split(), _TRADES.split(), _STATES.split("|"), _MONTHS.split()
TITLES = ("MASTER SUBSCRIPTION AGREEMENT", "SERVICES AGREEMENT", "SOFTWARE LICENSE AGREEMENT", "SUPPLY AGREEMENT")

SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Term",
        (
            "The initial term of this Agreement is {years} years from the Effective Date and renews automatically for "
            "periods of twelve (12) months unless either party gives notice {notice} days before its end.",
            "This Agreement begins on the Effective Date and continues for {months} months. It does not renew unless "
            "both parties so agree in a signed writing.",
            "Unless ended earlier as provided herein, the engagement lasts {years} years. {customer} may extend it "
            "once for a further year by telling {provider} no later than {notice} days before expiry.",
            "The parties are bound for a fixed period of {months} months, after which the arrangement carries on from "
            "month to month until one of them ends it on {notice} days' notice.",
        ),
    ),
    (
        "Fees",
        (
            "{customer} shall pay an annual fee of {amount}, invoiced annually in advance. Invoices are due within "
            "{days} days of the invoice date.",
            "The total price is {amount}, payable in equal quarterly instalments, each {days} days after receipt of a "
            "proper invoice.",
            "Charges of {amount} per year are billed monthly in arrears; every bill must be settled net {days}.",
            "In return {provider} receives {amount} for each contract year. Payment terms: {days} days. Overdue sums "
            "bear interest at {percent}% per month.",
        ),
    ),
    (
        "Services",
        (
            "{provider} will deliver the {words} platform together with the {more} module to the sites that the order "
            "names.",
            "The work consists of planning, building and keeping the {words} line, and training the {more} team.",
            "During the term {provider} makes available its {words} catalogue and answers questions on {more} by mail.",
            "{customer} orders, and {provider} accepts to supply, the goods listed as {words}, packed as {more}.",
        ),
    ),
    (
        "Termination",
        (
            "{customer} may terminate this Agreement for convenience upon {notice} days' prior written notice.",
            "Either party may end this Agreement for material breach that is not cured within {days} days of notice.",
            "Neither side may withdraw before the end of the period save for insolvency of the other.",
            "{provider} may suspend what it owes while an undisputed invoice is more than {days} days late.",
        ),
    ),
    (
        "Liability",
        (
            "Each party's aggregate liability shall not exceed the fees paid in the {months} months before the claim.",
            "Neither party is liable for lost profits; all other loss is limited to {amount} in total.",
            "{provider} answers without limit for intent and gross negligence, and otherwise up to {amount}.",
            "Liability under this Agreement, whatever its ground, ends at twice the yearly charges.",
        ),
    ),
    (
        "Confidentiality",
        (
            "What one party learns of the other's {words} business stays secret for {years} years after the end.",
            "The recipient uses Confidential Information about {more} only for this purpose and returns it on demand.",
            "Papers marked as secret, in particular those on {words}, may be shown to advisers bound by duty alone.",
            "No press release naming {customer} or its {more} range goes out without leave.",
        ),
    ),
    (
        "Assignment",
        (
            "Neither party may assign this Agreement without the prior written consent of the other.",
            "{provider} may transfer its rights to an affiliate; any other transfer needs consent.",
            "A change of control of {customer} counts as an assignment and calls for consent of {provider}.",
            "Rights may be pledged to banks; duties stay where they are.",
        ),
    ),
    (
        "Governing Law",
        (
            "This Agreement is governed by the laws of the State of {state}.",
            "The law of {state} applies; the courts sitting there decide alone.",
            "Disputes are settled by one arbitrator seated in {state} under the law of that state.",
            "{state} law governs, without its rules on conflict of laws.",
        ),
    ),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the measurement named on the command line and print it as a table and as JSON."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark scale", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True)
    contracts_command = commands.add_parser("contracts", help="only write the contracts")
    contracts_command.add_argument("folder", type=Path)
    contracts_command.add_argument("count", type=int)
    contracts_command.set_defaults(measure=contracts)
    night_command = commands.add_parser("night", help="seconds and memory as the number of contracts grows")
    night_command.add_argument("--counts", type=int, nargs="+", default=[100, 1_000])
    night_command.set_defaults(measure=night)
    dask_command = commands.add_parser("dask", help="one Dask worker and several")
    dask_command.add_argument("--count", type=int, default=200)
    dask_command.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    dask_command.set_defaults(measure=dask)
    arguments = parser.parse_args(argv)
    print(json.dumps(arguments.measure(arguments), default=str))


def contracts(arguments: argparse.Namespace) -> dict[str, Any]:
    """The contracts as files."""
    write_contracts(arguments.folder, arguments.count)
    return {"folder": str(arguments.folder), "contracts": arguments.count}


def night(arguments: argparse.Namespace) -> dict[str, Any]:
    """Seconds, peak memory and stages for each number of contracts, and the exponent of their growth."""
    start = _measured(os.cpu_count() or 1)  # one for each process that has to start
    rows = []
    for count in arguments.counts:
        rows.append(_measured(count))
        _show(rows[-1])
    result = {"start_seconds": start["seconds"], "start_processor_seconds": start["processor_seconds"], "runs": rows}
    if len(rows) > 1:
        counts = [row["documents"] for row in rows]
        seconds = [row["seconds"] for row in rows]
        peaks = [row["peak_megabytes_together"] for row in rows]
        result |= {
            "exponent": exponent(counts, seconds),
            "exponent_without_start": exponent(counts, [s - start["seconds"] for s in seconds]),
            "exponent_of_processor_seconds_without_start": exponent(
                counts, [row["processor_seconds"] - start["processor_seconds"] for row in rows]
            ),
            "peak_memory_last_to_first": round(peaks[-1] / peaks[0], 3),
        }
    _show({name: value for name, value in result.items() if name != "runs"})
    return result


def dask(arguments: argparse.Namespace) -> dict[str, Any]:
    """Seconds with so many Dask workers on this machine, starting included and without."""
    rows = []
    for count in arguments.workers:
        environment = {"CONTRACT_AGENT_DASK": "local", "CONTRACT_AGENT_WORKERS": str(count)}
        start = _measured(count, environment)
        row = _measured(arguments.count, environment) | {"workers": count, "start_seconds": start["seconds"]}
        row["load_of_machine_before"] = start["load_before"]
        rows.append(row)
        _show(row)
    first, last = rows[0], rows[-1]
    without = [row["seconds"] - row["start_seconds"] for row in (first, last)]
    result = {
        "runs": rows,
        "times_faster": round(first["seconds"] / last["seconds"], 2),
        "times_faster_without_start": round(without[0] / without[1], 2),
        "processors": os.cpu_count(),
    }
    _show({name: value for name, value in result.items() if name != "runs"})
    return result


def exponent(counts: Sequence[float], seconds: Sequence[float]) -> float:
    """The slope of the logarithm of the seconds over that of the counts, by least squares; 1 is linear."""
    across, up = [math.log(count) for count in counts], [math.log(second) for second in seconds]
    middle, height = sum(across) / len(across), sum(up) / len(up)
    spread = sum((x - middle) ** 2 for x in across)
    return round(sum((x - middle) * (y - height) for x, y in zip(across, up, strict=True)) / spread, 3)


def write_contracts(folder: Path, count: int) -> None:
    """So many contracts of one page; the same for the same count."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        pdf = pymupdf.open()
        page = pdf.new_page()
        page.insert_textbox((54, 48, 558, 780), contract_text(number), fontsize=9)
        pdf.save(folder / f"contract-{number:06d}.pdf")
        pdf.close()


def contract_text(number: int) -> str:
    """A contract of one page; its wording hangs on its number alone."""
    chance = random.Random(number)
    opening = opening_of(chance)
    sections = [(title, chance.choice(wordings)) for title, wordings in SECTIONS]
    chance.shuffle(sections)
    return written(chance, opening, sections)


class Opening(NamedTuple):
    """Who agrees, on which day, and the state of the first."""

    provider: str
    customer: str
    day: str
    state: str


def opening_of(chance: random.Random) -> Opening:
    """Two companies, a day and a state."""
    provider, customer = _company(chance), _company(chance)
    day = f"{chance.choice(MONTHS)} {chance.randint(1, 28)}, {chance.randint(2019, 2026)}"
    return Opening(provider, customer, day, chance.choice(STATES))


def written(chance: random.Random, opening: Opening, sections: Sequence[tuple[str, str]], **own: str) -> str:
    """The contract with these sections, their blanks filled in; `own` are blanks that are given."""
    provider, customer, day, state = opening
    lines = [
        chance.choice(TITLES),
        f'This Agreement is entered into as of {day} (the "Effective Date") by and between {provider}, a {state} '
        f'company ("Provider"), and {customer} ("Customer").',
        f"{_phrase(chance, 14).capitalize()}: so the parties call the subject of what they agree here.",
    ]
    for place, (title, wording) in enumerate(sections, 1):
        lines.append(f"{place}. {title}. {wording.format(**_values(chance, provider, customer, state) | own)}")
    signed = f"Date: {day}"
    lines += ["IN WITNESS WHEREOF, the parties have signed.", provider, f"By: /s/ {_person(chance)}", signed]
    lines += [customer, f"By: /s/ {_person(chance)}", signed]
    return "\n\n".join(lines)


def _values(chance: random.Random, provider: str, customer: str, state: str) -> dict[str, str]:
    return {
        "provider": "Provider",
        "customer": "Customer",
        "state": state,
        "years": str(chance.randint(1, 7)),
        "months": str(chance.choice((6, 12, 18, 24, 36, 48))),
        "notice": str(chance.choice((30, 45, 60, 90, 120))),
        "days": str(chance.choice((10, 14, 30, 45, 60, 75, 90))),
        "percent": f"{chance.uniform(0.5, 2):.1f}",
        "amount": f"${chance.randint(10, 2_000) * 1_000 + chance.randint(0, 999):,}.00",
        "words": _phrase(chance, 4),
        "more": _phrase(chance, 4),
    }


def _phrase(chance: random.Random, length: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(length))


def _company(chance: random.Random) -> str:
    first, second = chance.sample(WORDS, 2)
    return f"{first.capitalize()} {second.capitalize()} {chance.choice(TRADES)} {chance.choice(ENDINGS)}"


def _person(chance: random.Random) -> str:
    return " ".join(word.capitalize() for word in chance.sample(WORDS, 2))


def _measured(count: int, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """One night over so many contracts in a fresh warehouse."""
    with tempfile.TemporaryDirectory(prefix="contract-agent-") as folder:
        inbox, warehouse = Path(folder) / "inbox", Path(folder) / "warehouse"
        write_contracts(inbox, count)
        load, begun, used = os.getloadavg()[0], time.perf_counter(), _processor_seconds()
        command = [str(AGENT), "run", str(inbox), "--warehouse", str(warehouse)]
        with (Path(folder) / "out").open("w+") as out, (Path(folder) / "err").open("w+") as err:
            process = subprocess.Popen(command, stdout=out, stderr=err, env=os.environ | dict(environment or {}))
            with _watched(process.pid) as peaks:
                code = process.wait()
            seconds, used = time.perf_counter() - begun, _processor_seconds() - used
            out.seek(0), err.seek(0)
            if code:
                raise SystemExit(f"The run failed: {err.read()[-2000:]}")
            summary = json.loads(out.read().strip().splitlines()[-1])
        linked = query(warehouse, "SELECT count(*) FROM documents WHERE len(similar_to) > 0")[1][0][0]
        stages = query(warehouse, "SELECT s.stage, s.seconds FROM runs, unnest(stages) t(s)")[1]
    return {
        "documents": count,
        "landed": summary["contracts"],
        "quarantined": summary["quarantined"],
        "duplicates": summary["duplicates"],
        "linked": linked,
        "seconds": round(seconds, 2),
        "processor_seconds": round(used, 2),
        "milliseconds_per_document": round(1000 * seconds / count, 1),
        "peak_megabytes_of_parent": peaks["parent"],
        "peak_megabytes_of_largest_worker": peaks["worker"],
        "peak_megabytes_together": peaks["together"],
        "stages": {stage: round(spent, 2) for stage, spent in stages},
        "load_before": round(load, 2),
    }


def _processor_seconds() -> float:
    """What ended processes below this one have used; it does not hang on what else the machine does."""
    spent = os.times()
    return spent.children_user + spent.children_system


@contextmanager
def _watched(pid: int) -> Iterator[dict[str, int]]:
    """The peak memory of a process, of the largest of those below it, and of all together, in megabytes."""
    peaks = {"parent": 0, "worker": 0, "together": 0}
    stop = threading.Event()

    def look() -> None:
        top = psutil.Process(pid)
        while not stop.wait(EVERY):
            own = _megabytes(top)
            below = [_megabytes(process) for process in _below(top)]
            peaks["parent"] = max(peaks["parent"], own)
            peaks["worker"] = max(peaks["worker"], *below, 0)
            peaks["together"] = max(peaks["together"], own + sum(below))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peaks
    finally:
        stop.set()
        thread.join()


def _below(top: psutil.Process) -> list[psutil.Process]:
    try:
        return top.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _megabytes(process: psutil.Process) -> int:
    """What the process holds in memory; 0 when it has ended."""
    try:
        return process.memory_info().rss // 1_000_000
    except psutil.NoSuchProcess:
        return 0


def _show(result: Mapping[str, Any]) -> None:
    for name, value in result.items():
        print(f"{name:40} {value}")
    print(flush=True)
