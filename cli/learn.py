"""`contract-agent learn`: how often people agree, and what their decisions teach."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.places import WarehouseOption, warehouse_folder
from cli.show import rows_as
from schemas.errors import SettingsError
from schemas.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="See how often people agree, and learn from their decisions.")

ROOT = Path(__file__).resolve().parent.parent

By = Annotated[str, typer.Option("--by", help="Who does it; stands in the audit.")]
Format = Annotated[str, typer.Option("--format", help="table, csv or json.")]
GoldOption = Annotated[Path | None, typer.Option("--gold", help="Folder of gold, a JSON file a document.")]
GoldInboxOption = Annotated[Path | None, typer.Option("--gold-inbox", help="The folder of the gold's documents.")]


@app.command()
def agreement(
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="field, engine, capture_class, rule, topic, reason or shown; may be given again."),
    ] = None,
    share: Annotated[float | None, typer.Option(min=0, max=1, help="Share of accepted values in the audit.")] = None,
    format: Format = "table",
    warehouse: WarehouseOption = None,
) -> None:
    """How often people agree with the agent, whether its proposals sway them, how wrong accepted values are."""
    from review.loop import agreement as of
    from review.loop.decided import decided
    from review.loop.sampling import AUDIT_SHARE

    unknown = [name for name in by or () if name not in of.BY]
    if unknown:
        raise SettingsError(f"There is no agreement by {unknown[0]!r}.", help=f"Choose of {', '.join(of.BY)}.")
    root = warehouse_folder(load_settings(), warehouse)
    decisions = decided(root)
    rows_as(format, of.Agreement._fields, of.agreement(decisions, by or of.BY))
    typer.echo(_told(of.anchoring(decisions)), err=True)
    typer.echo(_told_error(of.true_error(root, decisions, AUDIT_SHARE if share is None else share)), err=True)


def _told(found: Any) -> str:
    if found.difference is None:
        return f"Anchoring: not known, {found.shown} decisions shown and {found.blind} blind."
    return (
        f"Anchoring: agreement {found.difference:+.1%} where the proposal is shown (95 %: {found.low:+.1%} to "
        f"{found.high:+.1%}; {found.shown} shown, {found.blind} blind)."
    )


def _told_error(found: Any) -> str:
    if found.share is None:
        return f"Error of accepted values: not known, none of the {found.drawn} drawn was looked at."
    return (
        f"Error of accepted values: {found.share:.1%} (95 %: {found.low:.1%} to {found.high:.1%}); {found.wrong} of "
        f"{found.looked_at} wrong, {found.drawn} drawn."
    )


@app.command()
def audit(
    share: Annotated[float | None, typer.Option(min=0, max=1, help="Share of accepted values that is drawn.")] = None,
    format: Format = "table",
    warehouse: WarehouseOption = None,
) -> None:
    """The accepted values that were drawn at random and that nobody has looked at."""
    from review.loop.agreement import ToLookAt, to_look_at
    from review.loop.decided import decided
    from review.loop.sampling import AUDIT_SHARE

    root = warehouse_folder(load_settings(), warehouse)
    rows_as(format, ToLookAt._fields, to_look_at(root, decided(root), AUDIT_SHARE if share is None else share))


@app.command()
def train(by: By, format: Format = "table", warehouse: WarehouseOption = None) -> None:
    """Learn from the decisions, but for every fifth contract. Nothing uses it before another person adopts it."""
    _learn(by, format, warehouse, with_opinions=True)


@app.command()
def calibrate(by: By, format: Format = "table", warehouse: WarehouseOption = None) -> None:
    """Learn only how sure to be of each term and rule. Nothing uses it before another person adopts it."""
    _learn(by, format, warehouse, with_opinions=False)


def _learn(by: str, format: str, warehouse: str | None, *, with_opinions: bool) -> None:
    from flows.learn import learn

    settings = load_settings()
    training = learn(warehouse_folder(settings, warehouse), settings, by, with_opinions=with_opinions)
    learned = training.learned
    columns = ("target", "field", "capture_class", "decisions", "learnt", "mended", "harmed")
    rows: list[Sequence[Any]] = [
        (one.target, one.field, None, one.decisions, "opinion" if one.kept else "nothing", one.mended, one.harmed)
        for one in training.verdicts
    ]
    rows += [
        (one.target, one.field, one.capture_class, one.decisions, "calibration", None, None)
        for one in learned.calibrations
    ]
    rows_as(format, columns, rows)
    typer.echo(f"{learned.version}: from {learned.decisions} decisions on {learned.contracts} contracts.", err=True)
    typer.echo(f"Another person: contract-agent learn adopt {learned.version} --approver NAME --reason WHY", err=True)


@app.command()
def adopt(
    version: Annotated[str, typer.Argument(help="What `learn train` or `learn calibrate` printed.")],
    approver: Annotated[str, typer.Option("--approver", help="Who approves it: not who learnt it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; stands in the audit.")],
    gold: GoldOption = None,
    gold_inbox: GoldInboxOption = None,
    format: Format = "table",
    warehouse: WarehouseOption = None,
) -> None:
    """Measure before and after on gold and on decisions held back, and adopt what was learnt if nothing is worse."""
    from flows.learn import Gold, Measured
    from flows.learn import adopt as put_in_force

    settings = load_settings()
    of = Gold(*_gold(gold, gold_inbox))
    root = warehouse_folder(settings, warehouse)

    def show(rows: Sequence[Measured]) -> None:
        rows_as(format, Measured._fields, rows)

    put_in_force(root, settings, version, approver, reason, of, show)
    typer.echo(
        f"{version} is in force: the next run judges contracts anew, `backfill --mode stale` does it now.", err=True
    )


def _gold(gold: Path | None, inbox: Path | None) -> tuple[Path, Path]:
    """The gold given, else that of the project's sample contracts."""
    if (gold is None) != (inbox is None):
        raise SettingsError("Gold is a folder and its documents.", help="Give both --gold and --gold-inbox.")
    if gold is not None and inbox is not None:
        return gold, inbox.resolve()
    folder, samples = ROOT / "tests" / "gold", ROOT / "sample_contracts"
    if not folder.is_dir():
        raise SettingsError(
            "The project's gold comes with the source, not with the package.",
            help="Clone the repository, or give gold of your own with --gold and --gold-inbox.",
        )
    return folder, samples


@app.command()
def withdraw(
    by: By,
    reason: Annotated[str, typer.Option("--reason", help="Why; stands in the audit.")],
    warehouse: WarehouseOption = None,
) -> None:
    """Go on without what was learnt; it is kept and can be adopted again."""
    from flows.learn import withdraw as take_back

    settings = load_settings()
    version = take_back(warehouse_folder(settings, warehouse), settings, by, reason)
    typer.echo(f"{version} is no longer in force: the next run judges contracts anew.")


@app.command()
def cases(warehouse: WarehouseOption = None) -> None:
    """Freeze the decisions as cases that no later version may get wrong; `benchmark cases` tries them."""
    from flows.lessons import freeze

    settings = load_settings()
    done = freeze(warehouse_folder(settings, warehouse), settings)
    typer.echo(
        f"{done.added} cases added, {done.removed} removed; {done.cases} in all, {done.right} of them right now."
    )


@app.command()
def examples(
    by: Annotated[str | None, typer.Option("--by", help="Propose these examples, under this name.")] = None,
    approve: Annotated[str | None, typer.Option("--approve", help="The id of an example to approve.")] = None,
    approver: Annotated[str | None, typer.Option("--approver", help="Who approves it: not who proposed it.")] = None,
    benchmark: Annotated[
        list[Path] | None, typer.Option("--benchmark", help="Folders of contracts that measure and are never shown.")
    ] = None,
    format: Format = "json",
    warehouse: WarehouseOption = None,
) -> None:
    """Corrections that could be shown to a model as examples, redacted; another person approves each."""
    from flows.lessons import approve_example, example_candidates, propose_examples
    from review.loop.decided import decided
    from review.loop.examples import Example

    settings = load_settings()
    root = warehouse_folder(settings, warehouse)
    samples = [ROOT / "sample_contracts"] if (ROOT / "tests" / "gold").is_dir() else []
    found = example_candidates(root, decided(root), [*samples, *(benchmark or ())])
    if approve:
        done = approve_example(root, settings, found, approve, _approver(approver))
        typer.echo(f"{done.example_id} is approved; it stands in the folder learned/ of the data folder.")
        return
    rows_as(format, tuple(Example.model_fields), [tuple(one.model_dump().values()) for one in found])
    if by and found:
        propose_examples(root, found, by)
        typer.echo(f"{len(found)} proposed by {by}: another person approves each with --approve ID.", err=True)


@app.command()
def proposals(
    by: Annotated[str | None, typer.Option("--by", help="Propose these changes, under this name.")] = None,
    approve: Annotated[str | None, typer.Option("--approve", help="The id of a change to approve.")] = None,
    approver: Annotated[str | None, typer.Option("--approver", help="Who approves it: not who proposed it.")] = None,
    inbox: Annotated[str | None, typer.Option(help="Folder or URL; that of the last run when not given.")] = None,
    warehouse: WarehouseOption = None,
) -> None:
    """Changes of the playbook that decisions speak for, each as a diff with what it would do to the flags."""
    from flows.lessons import approve_change, playbook_proposals, propose_changes

    settings = load_settings()
    root = warehouse_folder(settings, warehouse)
    if approve:
        file = approve_change(root, settings, approve, _approver(approver))
        typer.echo(f"{approve} is written to {file}: the next run with --playbook {file} flags by it.")
        return
    found = playbook_proposals(root, settings)
    for proposal in found:
        _show_change(root, settings, proposal, inbox)
    if not found:
        typer.echo("The decisions propose no change of the playbook.")
    if by and found:
        propose_changes(root, found, by)
        typer.echo(f"{len(found)} proposed by {by}: another person approves each with --approve ID.", err=True)


def _show_change(root: Path, settings: Any, proposal: Any, inbox: str | None) -> None:
    from flows.lessons import backtest_of, change_of
    from schemas.learned import LearnedError

    typer.echo(f"{proposal.proposal_id}  {proposal.rule_id}  {proposal.kind}: {proposal.why}")
    if proposal.against:
        typer.echo(f"  {proposal.against} flags of the rule were found to stand.")
    try:
        change = change_of(settings, proposal)
    except LearnedError as error:
        typer.echo(f"  To be written by hand: {error.message} {error.help or ''}")
        return
    typer.echo(change.diff)
    result = backtest_of(root, settings, change, inbox)
    counts = {kind: sum(one.change == kind for one in result.differences) for kind in ("new", "gone", "changed")}
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    typer.echo(f"  Backtest: {result.judged} contracts judged, flags: {told}; {result.not_kept} not kept.\n")


def _approver(name: str | None) -> str:
    if not name:
        raise typer.BadParameter("say who approves it with --approver")
    return name
