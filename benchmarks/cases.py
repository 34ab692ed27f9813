"""The frozen cases: what people decided of this company's own contracts, tried on the agent as it is now.

    contract-agent learn cases                      freezes the decisions
    contract-agent benchmark cases [--warehouse DIR] [--wrong]

A case that was right when it was frozen and is wrong now is a regression, and the exit code is 1. Others were wrong
from the start: they show how much of what people corrected is right by now.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from cli.places import warehouse_folder
from flows.lessons import Tried, try_cases
from review.loop.cases import digest, held_cases
from schemas.settings import load_settings


def main(argv: Sequence[str] | None = None) -> None:
    """Prints the cases by field and the same as JSON; ends with 1 when there is a regression."""
    parser = argparse.ArgumentParser(prog="contract-agent benchmark cases", description=__doc__.splitlines()[0])
    parser.add_argument("--warehouse", help="the warehouse: a folder or a URL")
    parser.add_argument("--wrong", action="store_true", help="name every case that is wrong")
    arguments = parser.parse_args(argv)
    settings = load_settings()
    cases = held_cases(settings.home)
    tried = list(try_cases(warehouse_folder(settings, arguments.warehouse), settings, cases))
    result = {"cases": digest(cases)} | figures(tried)
    for field, row in result["fields"].items():
        print(f"{field:30} {row['right']:5} of {row['cases']:5} right, {row['regressions']} regressions")
    for one in tried:
        if arguments.wrong and one.right is False:
            told = "regression" if one.is_regression else "not yet right"
            print(f"{one.case.case_id}  {one.case.contract_id}  {one.case.field}: {told}")
    print(json.dumps(result))
    sys.exit(1 if result["regressions"] else 0)


def figures(tried: Sequence[Tried]) -> dict[str, Any]:
    """Counts over all and by field; what is not kept counts as neither right nor wrong."""
    known = [one for one in tried if one.right is not None]
    fields = Counter(one.case.field for one in known)
    right = Counter(one.case.field for one in known if one.right)
    regressions = Counter(one.case.field for one in known if one.is_regression)
    return {
        "tried": len(known),
        "right": right.total(),
        "regressions": regressions.total(),
        "mended": sum(bool(one.right) and not one.case.was_right for one in known),
        "not_kept": len(tried) - len(known),
        "fields": {
            field: {"cases": count, "right": right[field], "regressions": regressions[field]}
            for field, count in sorted(fields.items())
        },
    }
