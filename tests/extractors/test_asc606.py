"""Which topics a contract raises, and which it must not."""

import pytest

from extractors.asc606 import asc606
from schemas.contract import Citation, Clause, EngineInfo, Extraction, Term
from schemas.document import Document, Page
from schemas.playbook import load_playbooks

PLAYBOOK = load_playbooks()
PAGE = Page(number=1, width=612, height=792, text="", words=())
DOCUMENT = Document(contract_id="c_1", sha256="0", media_type="application/pdf", pages=(PAGE,))


def read(*clauses: tuple[str, str], our_role: str | None = "seller", **terms) -> Extraction:
    """A small extraction of a signed contract: clauses as (type, text), terms by name."""
    given = {"fully_executed": "true", "signed_date": "2026-01-10", **terms}
    given |= {"our_role": our_role} if our_role else {}
    numbers = {name: float(v) for name, v in given.items() if isinstance(v, int | float)}
    return Extraction(
        engine=EngineInfo(extractor="embedded", model="test"),
        terms=tuple(
            Term(term=name, value=str(value), value_number=numbers.get(name), quote=f"quote of {name}")
            for name, value in given.items()
        ),
        clauses=tuple(Clause(clause_type=kind, text=text) for kind, text in clauses),
    )


def topics(extraction: Extraction) -> dict:
    return {row.topic: row for row in asc606(extraction, DOCUMENT, PLAYBOOK)}


TFC = {"termination_for_convenience": "customer", "termination_notice_days": 30, "initial_term_months": 12}
RAISED = [
    ("SCOPE", read(contract_type="lease")),
    ("EXIST", read(fully_executed="false")),
    ("TERM", read(**TFC)),
    ("TERM", read(**TFC, termination_fee="all remaining fees")),
    ("TERM", read(renewal_type="evergreen")),
    ("TERM", read(initial_term_months=12)),
    ("MODIFY", read(contract_type="amendment")),
    ("DISTINCT", read(("fees", "Subscription fees are payable upon acceptance of the implementation."))),
    ("PROMISES", read(("delivery", "Provider shall deliver the upcoming version of the module."))),
    ("VARIABLE", read(("service_credits", "A credit of 10% of the monthly fee is due."))),
    ("VARIABLE", read(("most_favored_nation", "Prices shall be no less favorable than those of others."))),
    ("VARIABLE", read(billing_frequency="usage")),
    ("FINANCING", read(payment_terms_days=366)),
    ("PAYABLE TO CUSTOMER", read(("fees", "Provider contributes a marketing fund of 2% of fees."))),
    ("ALLOCATE", read(("discount", "A discount of 10% applies to the bundle."))),
    ("MATERIAL RIGHT", read(price_increase_cap_percent=2)),
    ("MATERIAL RIGHT", read(("discount", "Customer may renew at a discount of 30%."))),
    ("BREAKAGE", read(("fees", "Prepaid credits expire after twelve months."))),
    ("UPFRONT FEE", read(("fees", "A one-time activation fee of $500 is due."))),
    ("LICENCE", read(("license_grant", "Provider grants a licence to install the Software."))),
    ("ACCEPTANCE", read(("acceptance", "Deliverables are deemed accepted within 10 days."))),
    ("RETURNS", read(("refund", "Distributor may return any unsold Products."))),
    ("WARRANTY", read(("warranty", "Provider warrants the Equipment for a period of 24 months."))),
    ("PRINCIPAL", read(contract_type="reseller")),
    ("REPURCHASE", read(("delivery", "Provider shall repurchase any Product."))),
    ("CONSIGNMENT", read(("delivery", "Products are shipped on consignment."))),
    ("BILL AND HOLD", read(("delivery", "Goods are sold on a bill-and-hold basis."))),
    ("POINT IN TIME", read(("delivery", "Title passes to Customer upon shipment."))),
    ("PROGRESS", read(billing_frequency="milestone")),
    ("PRESENT", read(billing_timing="arrears")),
    ("DISCLOSE", read(initial_term_months=13)),
    ("OTHER", read(("fees", "Fees are adjusted by the exchange rate of the euro."))),
    ("COMBINE", read(("order_of_precedence", "The terms of Customer's purchase order shall prevail."))),
    ("PRICE", read(("fees", "All fees are inclusive of value added tax."))),
    ("NONCASH", read(("publicity", "In return for a case study Customer receives a discount of 10%."))),
    (
        "CONTROL OVER TIME",
        read(("ip_ownership_assignment", "Provider hereby assigns to Customer all rights in the Platform.")),
    ),
    ("BUY SIDE", read(our_role="buyer", minimum_commitment=1000)),
]


@pytest.mark.parametrize(("topic", "extraction"), RAISED)
def test_topic_is_raised(topic, extraction):
    row = topics(extraction)[topic]
    assert row.proposal.startswith("Proposed - ") and row.proposal.endswith("To be confirmed.")
    assert "{" not in row.proposal + row.reason
    assert {PLAYBOOK.references[key].kind for key in row.paragraphs} == {"asc"}


NOT_RAISED = [
    ("EXIST", read()),
    ("TERM", read()),
    ("FINANCING", read(payment_terms_days=365)),
    ("DISCLOSE", read(initial_term_months=12)),
    ("MATERIAL RIGHT", read(price_increase_cap_percent=3)),
    ("UPFRONT FEE", read(("fees", "There is no activation fee."))),
    ("CONSIGNMENT", read(("delivery", "Goods are sold on a bill-and-hold basis."))),
    ("BUY SIDE", read(minimum_commitment=1000)),
    ("BUY SIDE", read(our_role="buyer")),
]


@pytest.mark.parametrize(("topic", "extraction"), NOT_RAISED)
def test_topic_is_not_raised(topic, extraction):
    assert topic not in topics(extraction)


ROUTES = [
    ("separate contract", "The charge for fifty added users is $480 a year each."),
    (
        "catch up",
        "The lower price also applies to units already delivered before this Amendment; Provider will credit it.",
    ),
    ("for the future only", "The Initial Term is extended by twelve months."),
    ("for the future only", "The annual fee is reduced from $10,000 to $9,000."),
    ("for the future only", "Invoices are due within sixty days."),
    ("for the future only", "Customer receives fifty additional users at no additional charge."),
]


@pytest.mark.parametrize(("route", "words"), ROUTES)
def test_one_route_is_proposed_for_an_amendment(route, words):
    clauses = ("fees", words)
    document = DOCUMENT.model_copy(update={"pages": (PAGE.model_copy(update={"text": words}),)})
    row = {row.topic: row for row in asc606(read(clauses, contract_type="amendment"), document, PLAYBOOK)}["MODIFY"]
    assert f"Proposed - {'a ' if 'contract' in route else ''}{route}," in row.proposal


def test_every_topic_is_tested():
    assert {topic.topic for topic in PLAYBOOK.topics} == {topic for topic, _ in RAISED} | {"SERIES"}


def test_a_hosted_service_over_a_term_is_a_series():
    page = PAGE.model_copy(update={"text": "Provider makes its hosted service available to Customer."})
    document = Document(contract_id="c_1", sha256="0", media_type="application/pdf", pages=(page,))
    raised = asc606(read(contract_type="services", initial_term_months=12), document, PLAYBOOK)
    assert "SERIES" in {row.topic for row in raised}
    assert "SERIES" not in topics(read(contract_type="services", initial_term_months=12))


@pytest.mark.parametrize("role", ["mutual", None])
def test_no_topics_where_our_side_is_not_known(role):
    assert topics(read(our_role=role, **TFC)) == {}


@pytest.mark.parametrize("role", ["seller", "buyer"])
def test_ndas_raise_none(role):
    assert topics(read(our_role=role, contract_type="nda", minimum_commitment=5, **TFC)) == {}


def test_buyers_get_the_buy_side_alone():
    assert set(topics(read(our_role="buyer", minimum_commitment=1000, **TFC))) == {"BUY SIDE"}


def test_hosted_service_is_proposed_as_no_licence():
    hosted = read(("license_grant", "Customer may access and use the hosted service."))
    assert "no licence" in topics(hosted)["LICENCE"].proposal
    both = read(("license_grant", "Customer may access and use the service and install the client."))
    assert topics(both) == {}


def test_proposal_has_the_numbers_and_the_quote():
    row = topics(read(**TFC))["TERM"]
    assert "30 days" in row.proposal and "12 months" in row.reason
    assert row.quote == "quote of termination_for_convenience"


def test_row_cites_its_clause():
    cited = Citation(page_number=3, page_end=3, box=(1, 2, 3, 4), char_start=0, char_end=9)
    clause = Clause(clause_type="delivery", text="Title passes upon shipment.", citation=cited)
    row = topics(read().model_copy(update={"clauses": (clause,)}))["POINT IN TIME"]
    assert (row.quote, row.citation) == (clause.text, cited)


def test_topics_do_not_hang_on_the_pack():
    small = load_playbooks("nda")
    assert {row.topic for row in asc606(read(**TFC), DOCUMENT, small)} == {"TERM"}
