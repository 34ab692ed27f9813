"""What takes two people: approvals, overrides of rules, sign-offs, and the locking of periods."""

from typing import NamedTuple

from starlette.responses import Response

from review.shown import ContractView
from review.web.links import contract_href
from review.web.routes.queue import day_of
from review.web.visit import Pages, Visit
from schemas.review import ReviewError, Standing

pages = Pages()
_MOST = 200


class Waiting(NamedTuple):
    """A decision that waits, with the names that a person knows it by."""

    standing: Standing
    title: str | None
    name: str


@pages.show("/approvals")
def approvals(visit: Visit) -> Response:
    """All that waits for a second person."""
    store = visit.site.store
    requests = store.requests(state="waiting")
    together = {id for request in requests for id in _targets(visit, request.number)}
    alone = [standing for standing in store.standing(state="waiting") if standing.target_id not in together]
    prepared = [row for row in store.sign_offs() if not row.approver][:_MOST]
    return visit.page(
        "approvals.html",
        {"decisions": [_named(visit, standing) for standing in alone[:_MOST]], "requests": requests},
        sign_offs=[row.model_dump() | {"title": _title(visit, row.contract_id)} for row in prepared],
        contract_href=contract_href,
        **visit.notice(),
    )


def _targets(visit: Visit, number: int) -> list[str]:
    """The flags of a bulk confirmation, which are approved together."""
    event = visit.site.store.event(number)
    return event.body.get("targets", []) if event and event.body else []


def _named(visit: Visit, standing: Standing) -> Waiting:
    view = _view(visit, standing.contract_id)
    item = view.item(standing.target, standing.target_id) if view else None
    name = item.name if item else standing.target_id
    shown = visit.t(f"term.{name}") if standing.target == "term" else name
    return Waiting(standing, view.contract.get("title") if view else None, shown)


def _title(visit: Visit, contract_id: str) -> str | None:
    view = _view(visit, contract_id)
    return view.contract.get("title") if view else None


def _view(visit: Visit, contract_id: str) -> ContractView | None:
    """The contract, None when it was forgotten."""
    try:
        return visit.site.desk.contract(contract_id)
    except ReviewError as error:
        if error.code == "not_found":
            return None
        raise


@pages.show("/rule-overrides")
def rules(visit: Visit) -> Response:
    """Rules that are not asked somewhere, and the form to ask for that."""
    requests = [request for request in visit.site.store.requests() if request.kind == "rule"]
    titles = sorted(visit.site.rule_titles(visit.language).items())
    return visit.page("rules.html", {"requests": requests[::-1]}, rule_titles=titles, **visit.notice())


@pages.do("/rule-overrides", role="reviewer")
def override_rule(visit: Visit) -> Response:
    """Ask for a rule's override; a second person approves."""
    rule_id = visit.field("rule_id", 60)
    if rule_id not in visit.site.rule_titles("en"):
        raise ReviewError("There is no such rule in the playbook.", help="Choose one of the list.", code="form")
    request = visit.site.reviewing.override_rule(
        visit.person,
        rule_id,
        visit.field("scope", 300),
        why=visit.field("why", 2_000),
        owner=visit.field("owner", 200),
        effective_from=day_of(visit, "effective_from"),
        effective_to=day_of(visit, "effective_to") if visit.field("effective_to") else None,
    )
    return visit.done("/rule-overrides?said=rule", {"request": request})


@pages.do("/contracts/{contract_id}/prepare", role="reviewer")
def prepare(visit: Visit, contract_id: str) -> Response:
    """Prepare a contract's sign-off."""
    return _signed(visit, contract_id, visit.site.reviewing.prepare(visit.person, contract_id), "prepared")


@pages.do("/contracts/{contract_id}/sign-off", role="approver")
def sign_off(visit: Visit, contract_id: str) -> Response:
    """Sign off what another person prepared."""
    return _signed(visit, contract_id, visit.site.reviewing.sign_off(visit.person, contract_id), "signed_off")


@pages.do("/contracts/{contract_id}/withdraw", role="approver")
def withdraw(visit: Visit, contract_id: str) -> Response:
    """Take a sign-off back, and say why."""
    visit.site.reviewing.withdraw_sign_off(visit.person, contract_id, visit.field("why", 500))
    return _signed(visit, contract_id, None, "withdrawn")


def _signed(visit: Visit, contract_id: str, sign_off: object, said: str) -> Response:
    return visit.done(f"{contract_href(contract_id)}?said={said}#sign-off", {"sign_off": sign_off})


@pages.show("/periods")
def periods(visit: Visit) -> Response:
    """Locked periods and the log of their reopening."""
    found = visit.site.store.periods(all=True)
    return visit.page("periods.html", {"periods": sorted(found, key=lambda p: -p.number)}, **visit.notice())


@pages.do("/periods/lock", role="approver")
def lock(visit: Visit) -> Response:
    """Lock a period."""
    period = visit.site.reviewing.lock(visit.person, day_of(visit, "first"), day_of(visit, "last"))
    return visit.done("/periods?said=locked", {"period": period})


@pages.do("/periods/reopen", role="approver")
def reopen(visit: Visit) -> Response:
    """Reopen a locked period, and say why."""
    first, last = day_of(visit, "first"), day_of(visit, "last")
    period = visit.site.reviewing.reopen(visit.person, first, last, visit.field("why", 500))
    return visit.done("/periods?said=reopened", {"period": period})
