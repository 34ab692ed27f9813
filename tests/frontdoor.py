"""The front door, as tests use it: the command line in a fresh environment, and contracts made on the spot."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pymupdf
import pytest

import cli.main
import flows.line
import flows.pool
from flows.jobs import Job, Outcome

AGENT = Path(sys.executable).parent / "contract-agent"

AGREEMENT = """MASTER SUBSCRIPTION AGREEMENT

This Master Subscription Agreement is entered into as of March 1, 2026 (the "Effective Date") by and between
Harbor Light Software, Inc., a Delaware corporation ("Provider"), and Quarry Lane Foods LLC, an Ohio limited
liability company ("Customer").

1. Term. The initial term of this Agreement is three (3) years from the Effective Date. Thereafter it shall
automatically renew for successive periods of twelve (12) months unless either party gives written notice of
non-renewal at least sixty (60) days before the end of the then-current term.

2. Fees. The annual subscription fee is $120,000. Fees are invoiced annually in advance. Customer shall pay each
invoice within sixty (60) days of the invoice date. Overdue amounts bear interest at 1.5% per month.

3. Termination. Customer may terminate this Agreement for convenience upon ninety (90) days' prior written notice.
A party in material breach has thirty (30) days to cure.

4. Liability. Each party's aggregate liability shall not exceed the fees paid in the twelve (12) months preceding
the claim.

5. Governing Law. This Agreement is governed by the laws of the State of New York.

IN WITNESS WHEREOF, the parties have signed.

HARBOR LIGHT SOFTWARE, INC.
By: /s/ Ada Moreno
Date: February 20, 2026

QUARRY LANE FOODS LLC
By: /s/ Ben Okafor
Date: February 23, 2026
"""


def write_pdf(path: Path, text: str) -> Path:
    """A born-digital PDF of this text, as many pages as it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pdf = pymupdf.open()
    lines = text.split("\n")
    for start in range(0, len(lines), 48):
        page = pdf.new_page()
        page.insert_text((60, 60), lines[start : start + 48], fontsize=9.5, lineheight=1.45)
    pdf.save(path)
    pdf.close()
    return path


def small_inbox(folder: Path) -> Path:
    """One agreement, a copy of it, and a file that is cut short."""
    original = write_pdf(folder / "agreement.pdf", AGREEMENT)
    (folder / "copies").mkdir()
    (folder / "copies" / "agreement again.pdf").write_bytes(original.read_bytes())
    (folder / "cut.pdf").write_bytes(original.read_bytes()[:900])
    return folder


class Done(NamedTuple):
    """What a command left: exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def summary(self) -> dict:
        """The last line of standard output as JSON."""
        return json.loads(self.out.strip().splitlines()[-1])

    @property
    def rows(self) -> list[dict]:
        """All of standard output as JSON."""
        return json.loads(self.out)


def fresh_environment(**more: str) -> dict[str, str]:
    """The environment of a fresh user: no key, no settings but those given.

    One worker: a second one takes longer to start than the few documents of a test take to read.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CONTRACT_AGENT_", "OPENAI_", "PREFECT_"))}
    return kept | {"CONTRACT_AGENT_WORKERS": "1"} | more


def run_agent(*arguments: object, **environment: str) -> Done:
    """`contract-agent` as a user calls it."""
    command = [str(AGENT), *map(str, arguments)]
    done = subprocess.run(command, env=fresh_environment(**environment), capture_output=True, text=True, timeout=600)
    return Done(done.returncode, done.stdout, done.stderr)


def call_here(*arguments: object, **environment: str) -> Done:
    """The same command in this process, which also reads the documents: for tests that are about what comes out.
    Starting a command and its workers takes longer than reading a page or two."""
    out, err = io.StringIO(), io.StringIO()
    flows.line._playbook.cache_clear()  # a new process would read it anew
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - set(fresh_environment()):
            patch.delenv(name)
        for name, value in fresh_environment(**environment).items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["contract-agent", *map(str, arguments)])
        patch.setattr(flows.pool, "workers", _no_workers)
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            cli.main.main()
    flows.line._engine.cache_clear()
    return Done(ended.value.code or 0, out.getvalue(), err.getvalue())


class _Here:
    """What `flows.pool.Workers` does, without any."""

    def outcomes(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        return map(flows.line.process, jobs)

    def plan(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            flows.line.plan(job)


@contextmanager
def _no_workers(*bounds: object) -> Iterator[_Here]:
    yield _Here()
