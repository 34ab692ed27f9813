"""What the named questions leave out, put together, and count from."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from landing_samples import DAY, batch, filed, land_run

from extractors.names import normalised
from schemas.tables import TABLE_BY_NAME
from warehouse.catalogue import publish
from warehouse.lake import Linked
from warehouse.questions import ask
from warehouse.read import query
from warehouse.rows import Rows, document_rows

PLAYBOOK = Path(__file__).parents[2] / "playbooks" / "procurement.yaml"
NAMES = (
    "Acme GmbH",
    "ACME, INC.",
    "Acme Co., Ltd.",
    "The Acme Company",
    "Acme & Sons, L.L.C.",
    "Ørsted A/S",
    "北風株式会社",
)
NAMES += ("Pelican Ridge Hospitality Group LLC", "Pelican Ridge Hospitality Group, LLC", "AG Insurance", "Acme S.p.A.")
TERM = {"effective_date": "2026-03-01", "expiration_date": "2028-02-29", "initial_term_months": "24"}
FEES = {"total_value": "306500", "annual_value": "144000"}


def identity(number: int) -> str:
    return f"c_{number:016x}"


def sold(number: int, run_id: str = "r1", version: int = 1, **values: str) -> Rows:
    return batch(number, run_id, version, our_role="seller", **values)


def with_clause(number: int, clause_type: str, text: str, **values: str) -> Rows:
    rows = batch(number, "r1", **values)
    rows["clauses"][0] |= {"clause_type": clause_type, "text": text}
    return rows


def answer(root: Path, name: str, *columns: str, **parameters: object) -> list[tuple]:
    names, rows = ask(root, name, **parameters)
    places = [names.index(column) for column in columns]
    return [tuple(row[at] for at in places) for row in rows]


def numbers(root: Path, name: str, **parameters: object) -> set[int]:
    return {int(row[0][2:], 16) for row in answer(root, name, "contract_id", **parameters)}


def decide(root: Path, run_id: str, target: str, target_id: str, decision: str, contract: int = 1) -> None:
    row = {"review_id": f"v_{run_id}", "target": target, "target_id": target_id, "decision": decision, "reviewer": "A"}
    row |= {"contract_id": identity(contract), "decided_at": datetime(2026, 11, 20, 12, int(run_id[1:]))}
    land_run(root, run_id, [{"reviews": [row]}], trigger="review")


def listed(folder: Path, header: str, *lines: str) -> str:
    file = folder / "list.csv"
    file.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return str(file)


# --- What counts as today


def test_the_business_day_is_that_of_the_last_run(root: Path):
    publish(root)
    assert query(root, "SELECT business_date, today = current_date FROM business_day")[1] == [(None, True)]
    land_run(root, "r1", [batch(1, "r1")])
    land_run(root, "v1", business_date=DAY + timedelta(days=9), trigger="review")
    assert query(root, "SELECT business_date, today FROM business_day")[1] == [(DAY, DAY)]


def test_waiting_is_counted_from_the_run_that_met_the_document(root: Path):
    failed = filed(1, "r1", status="quarantined", error_code="encrypted", error_message="It has a password.")
    land_run(root, "r1", [document_rows(failed, None), batch(2, "r1")], business_date=DAY - timedelta(days=5))
    again = filed(1, "r2", status="quarantined", error_code="encrypted", error_message="It has a password.")
    land_run(root, "r2", [document_rows(again, None)])
    assert query(root, "SELECT days_waiting FROM quarantine")[1] == [(5,)]
    assert answer(root, "oldest_unreviewed", "days_waiting") == [(5,)]


def test_what_is_read_again_has_not_arrived_again(root: Path):
    monday = date(2026, 11, 23)
    land_run(root, "r1", [batch(1, "r1")], business_date=monday - timedelta(days=4))
    land_run(root, "r2", [batch(2, "r2")], business_date=monday - timedelta(days=3))
    land_run(root, "r3", [batch(1, "r3", 2), batch(3, "r3")], business_date=monday)
    assert numbers(root, "arrived_unreviewed") == {2, 3}
    decide(root, "v4", "flag", "f_x", "needs_info", contract=2)
    assert numbers(root, "arrived_unreviewed") == {2, 3}
    decide(root, "v5", "flag", "f_x", "confirmed", contract=2)
    assert numbers(root, "arrived_unreviewed") == {3}


def test_amendments_of_this_month_are_those_that_arrived_in_it(root: Path):
    land_run(root, "r1", [batch(1, "r1", contract_type="amendment")], business_date=DAY - timedelta(days=31))
    land_run(root, "r2", [batch(1, "r2", 2, contract_type="amendment"), batch(2, "r2", contract_type="amendment")])
    assert numbers(root, "amendments_this_month") == {2}


def test_a_deadline_that_passed(root: Path):
    passed, end = DAY - timedelta(days=3), DAY + timedelta(days=27)
    land_run(root, "r1", [batch(1, "r1", notice_deadline=str(passed), expiration_date=str(end))])
    assert answer(root, "missed_notice_deadlines", "notice_deadline", "days_ago") == [(passed, 3)]
    assert answer(root, "missed_notice_deadlines", "days_ago", days=2) == []
    decide(root, "v1", "term", "t_x", "confirmed")
    assert answer(root, "missed_notice_deadlines", "days_ago") == []


def test_the_deadline_of_a_period_that_renewed_itself(root: Path):
    end = DAY + timedelta(days=28) - timedelta(days=365)
    rolling = {"renewal_type": "auto", "renewal_term_months": "12", "renewal_notice_days": "30"}
    stated = {"expiration_date": str(end), "notice_deadline": str(end - timedelta(days=30))}
    land_run(root, "r1", [batch(1, "r1", **rolling, **stated)])
    assert answer(root, "missed_notice_deadlines", "days_ago") == [(2,)]


def test_the_median_is_of_the_runs_before(root: Path):
    for at, seconds in enumerate((60, 180, 600), 1):
        started = datetime(2026, 11, 10 + at)
        land_run(
            root, f"r{at}", [batch(at, f"r{at}")], seconds=seconds, started_at=started, business_date=started.date()
        )
    assert answer(root, "run_cost", "run_id", "minutes_per_contract", "median_minutes_per_contract") == [("r3", 10, 2)]


# --- Names


@pytest.mark.parametrize("name", NAMES)
def test_names_are_compared_as_when_they_were_read(bare: Path, name: str):
    assert query(bare, "SELECT company_name($name)", {"name": name})[1] == [(normalised(name),)]


def test_a_customer_is_one_however_it_is_spelled(root: Path):
    drafted = sold(3, counterparty="Acme LLC", fully_executed="false", total_value="9")
    others = [batch(4, "r1", our_role="buyer"), batch(5, "r1"), sold(6, counterparty="Acme Ltd", currency="GBP")]
    both = [sold(1, counterparty="ACME, Inc.", total_value="100"), sold(2, counterparty="Acme Inc", total_value="50")]
    land_run(root, "r1", [*both, drafted, *others])
    columns = ("counterparty", "currency", "contracts", "total_value", "unsigned")
    assert answer(root, "value_by_customer", *columns) == [
        ("Acme Ltd", "GBP", 1, 120000, 0),
        ("ACME, Inc.", "USD", 3, 150, 1),
    ]


def test_deals_and_contracts(root: Path, tmp_path: Path):
    two = sold(4, counterparty="Guarantor AG") | {}
    two["contracts"][0]["other_parties"] = ["guarantor", "the customer"]
    drafted = sold(3, counterparty="Late GmbH", fully_executed="false")
    land_run(root, "r1", [sold(1, counterparty="Acme, Inc."), sold(2, counterparty="Other Ltd"), drafted, two])
    crm = listed(tmp_path, "customer,amount,closed_on", "ACME INC,1,2026-01-01", "Late,2,2026-01-01", "The Customer,3,")
    found = answer(root, "crm_differences", "difference", "customer", crm=crm)
    assert found == [("contract without a deal", "Other Ltd"), ("deal without a contract", "Late")]


def test_each_line_of_the_billing_system_meets_one_contract(root: Path, tmp_path: Path):
    def ordered(number: int, frequency: str, start: str) -> Rows:
        return sold(number, billing_frequency=frequency, effective_date=start)

    contracts = [ordered(1, "annual", "2026-01-01"), ordered(2, "monthly", "2026-05-01")]
    land_run(root, "r1", [*contracts, ordered(3, "milestone", "2026-06-01")])
    header = "customer,frequency,start_date"
    right = listed(tmp_path, header, "ACME Inc,Annual,2026-01-01", "Acme Inc.,monthly,2026-05-01")
    assert answer(root, "billing_differences", "difference", billing=right) == []
    wrong = listed(tmp_path, header, "ACME Inc,annual,2026-01-01", "Acme Inc.,quarterly,2026-05-01")
    said = answer(root, "billing_differences", "difference", "contract_id", "contract_says", billing=wrong)
    assert said == [("frequency", identity(2), "monthly")]
    empty = listed(tmp_path, header, "Acme Inc.,,2026-05-01", "Acme Inc.,annual,")
    assert answer(root, "billing_differences", "difference", billing=empty) == []


def test_billing_begins_with_the_fees(root: Path, tmp_path: Path):
    rows = sold(1, billing_frequency="annual", effective_date="2026-02-20")
    rows["fee_lines"][0] |= {"frequency": "annual", "start_date": date(2026, 4, 1)}
    term = sold(2, counterparty="Other", billing_frequency="annual", **TERM | {"effective_date": "2026-02-20"})
    land_run(root, "r1", [rows, term])
    lines = ("Acme,annual,2026-04-01", "Other,annual,2026-03-01")
    billing = listed(tmp_path, "customer,frequency,start_date", *lines)
    assert answer(root, "billing_differences", "difference", billing=billing) == []


def test_near_in_time_are_sales_to_one_customer(root: Path):
    dated = [sold(1, signed_date="2026-01-05"), sold(2, signed_date="2026-01-25", counterparty="ACME INC")]
    bought = batch(3, "r1", our_role="buyer", signed_date="2026-01-07")
    land_run(root, "r1", [*dated, bought, sold(4, signed_date="2026-01-08", fully_executed="false")])
    found = answer(root, "combination_candidates", "contract_id", "other_contract_id", "days_between")
    assert found == [(identity(1), identity(2), 20)]


def test_duplicates_state_two_amounts(root: Path):
    def twin(number: int, amount: str, **more: str) -> Rows:
        return batch(number, "r1", agreement_date="2026-01-05", total_value=amount, **more)

    alike = [twin(1, "100"), twin(2, "200", counterparty="ACME INC")]
    undated = [batch(at, "r1", title="Order", total_value=f"{at}") for at in (3, 4)]
    land_run(root, "r1", [*alike, *undated, twin(5, "", title="Lease"), twin(6, "7", title="Lease")])
    assert answer(root, "near_duplicates", "contract_id", "other_contract_id") == [(identity(1), identity(2))]


# --- Families


def family(*members: dict, **terms: tuple[int, object, date]):
    """What a linker gives: the first member is the root; each term with who set it, its value and since when."""
    root = members[0]["contract_id"]
    rows = [{"family_id": root, "run_id": "r1", "relation": "root"} | member for member in members]
    held = [
        {"family_id": root, "contract_id": root, "run_id": "r1", "term": term, "value": str(value)}
        | {"set_by_contract_id": identity(by), "effective_from": since}
        for term, (by, value, since) in terms.items()
    ]
    return lambda con, run_id: Linked({"family_members": rows, "family_terms": held}, frozenset({root}))


def member(number: int, relation: str = "root", parent: int | None = None, since: date | None = None) -> dict:
    return {
        "contract_id": identity(number),
        "relation": relation,
        "parent_contract_id": parent and identity(parent),
        "effective_from": since,
    }


JULY, OCTOBER, MARCH = date(2026, 7, 1), date(2026, 10, 12), date(2026, 3, 1)


def amended(root: Path, **changed: tuple[int, object, date]) -> None:
    amendments = [sold(2, total_value="", annual_value="168000", contract_type="amendment")]
    amendments.append(sold(3, total_value="", contract_type="amendment", currency=""))
    members = (member(1, since=MARCH), member(2, "amends", 1, JULY), member(3, "amends", 2, OCTOBER))
    terms = {"total_value": (1, 306500, MARCH), "annual_value": (2, 168000, JULY), "currency": (1, "USD", MARCH)}
    terms |= {"expiration_date": (3, "2029-02-28", OCTOBER), "initial_term_months": (3, 36, OCTOBER)}
    land_run(root, "r1", [sold(1, **TERM, **FEES), *amendments], link=family(*members, **terms | changed))


def test_an_amended_value_is_reckoned_anew(root: Path):
    amended(root)
    columns = ("contracts", "total_value", "annual_value", "without_value", "without_schedule")
    # 18,500 once, four months of 144,000 a year and 32 of 168,000
    assert answer(root, "value_by_customer", *columns) == [(1, 514500, 168000, 0, 1)]
    years = answer(root, "remaining_obligations_by_year", "year", "contracts")
    assert years == [(2026, 1), (2027, 1), (2028, 1), (2029, 1)]


def test_an_amended_value_that_cannot_be_reckoned_is_none(root: Path):
    amended(root, annual_value=(3, 170000, OCTOBER))
    assert answer(root, "value_by_customer", "total_value", "annual_value", "without_value") == [(None, 170000, 1)]
    assert answer(root, "remaining_obligations_by_year", "year") == []


def test_an_amendment_that_states_the_total(root: Path):
    amended(root, total_value=(3, 400000, OCTOBER))
    assert answer(root, "value_by_customer", "total_value") == [(400000,)]
    assert query(root, "SELECT value_begins FROM agreements")[1] == [(OCTOBER,)]


def test_orders_stand_beside_their_master(root: Path):
    master = sold(1, total_value="", contract_type="msa")
    order, change = sold(2, total_value="500"), sold(3, total_value="600", contract_type="amendment")
    members = (member(1, since=MARCH), member(2, "under", 1, JULY), member(3, "amends", 2, OCTOBER))
    terms = {"total_value": (3, 600, OCTOBER), "currency": (2, "USD", JULY)}
    land_run(root, "r1", [master, order, change], link=family(*members, **terms))
    assert query(root, "SELECT contract_id, total_value, currency FROM agreements ORDER BY ALL")[1] == [
        (identity(1), None, None),
        (identity(2), 600, "USD"),
    ]


def test_what_was_replaced_is_not_listed(root: Path):
    first, second = sold(1, payment_terms_days="90"), sold(2, payment_terms_days="75", contract_type="amendment")
    later = sold(3, payment_terms_days="120", contract_type="amendment")
    members = (member(1, since=MARCH), member(2, "amends", 1, JULY), member(3, "amends", 1, DAY + timedelta(days=9)))
    link = family(*members, payment_terms_days=(2, 75, JULY))
    land_run(root, "r1", [first, second, later, sold(4, payment_terms_days="61")], link=link)
    assert numbers(root, "long_payment_terms") == {2, 4}


def test_a_renewal_after_an_amendment(root: Path):
    ends, later = DAY + timedelta(days=20), DAY + timedelta(days=50)
    contracts = [sold(1, expiration_date=str(ends)), sold(2, contract_type="amendment", expiration_date=str(later))]
    link = family(member(1, since=MARCH), member(2, "amends", 1, JULY), expiration_date=(2, later, JULY))
    land_run(root, "r1", contracts, link=link)
    assert answer(root, "renewals_ahead", "contract_id", "due_date") == [(identity(1), later)]


# --- What is left to perform and to bill


def test_notice_binds_from_today_on(root: Path):
    right = {"termination_for_convenience": "customer", "termination_notice_days": "10"}
    past = sold(1, **TERM, **right, total_value="731", accounting_term_end="2026-03-11")
    unsigned = sold(2, **TERM, total_value="731", fully_executed="false")
    land_run(root, "r1", [past, unsigned, batch(3, "r1", our_role="buyer", **TERM)])
    # from the day itself to the tenth after it
    assert answer(root, "remaining_obligations_by_year", "year", "remaining") == [(2026, 11)]


def test_unbilled_is_what_is_invoiced_later(root: Path):
    rows = sold(1, payment_terms_days="30")
    bill = {"contract_id": identity(1), "run_id": "r1", "version": 1, "currency": "USD", "basis": "annual"}
    dues = (DAY + timedelta(days=30), 1), (DAY + timedelta(days=31), 2), (DAY - timedelta(days=9), 4), (None, 8)
    rows["billing_schedule"] = [bill | {"due_date": due, "amount": amount} for due, amount in dues]
    land_run(root, "r1", [rows, sold(2, currency="EUR")])
    found = answer(root, "value_by_customer", "currency", "unbilled", "undated", "without_schedule")
    assert sorted(found) == [("EUR", None, None, 1), ("USD", 2, 8, 0)]


def test_a_commitment_that_has_ended_binds_no_longer(root: Path):
    def bound(number: int, ends: date) -> Rows:
        return batch(number, "r1", our_role="buyer", minimum_commitment="5", expiration_date=str(ends))

    land_run(root, "r1", [bound(1, DAY), bound(2, DAY - timedelta(days=1))])
    assert numbers(root, "purchase_commitments") == {1}


# --- What clauses say


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        ("Fees are non-refundable.", False),
        ("No Refunds. Fees paid are not refundable in any case.", False),
        ("The payment shall be final and shall not be subject to refund.", False),
        ("Nothing is said here of money.", False),
        ("Fees are non-refundable, but Provider shall refund prepaid fees on its own breach.", True),
        ("Customer may return the goods within 30 days.", True),
        ("甲は利用料金の払戻しは行わない。", False),
        ("乙は未経過期間に対応する額の返還を受けることができる。", True),
    ],
)
def test_a_denied_refund_is_no_right(root: Path, text: str, is_right: bool):
    language = "ja" if text[0] in "甲乙" else "en"
    rows = with_clause(1, "refund", text)
    rows["contracts"][0]["language"] = language
    land_run(root, "r1", [rows])
    assert bool(numbers(root, "refund_and_return_rights")) == is_right


def test_a_language_that_is_not_judged_is_listed(root: Path):
    rows = with_clause(1, "refund", "Gebühren werden nicht erstattet.")
    rows["contracts"][0]["language"] = "de"
    land_run(root, "r1", [rows])
    assert numbers(root, "refund_and_return_rights") == {1}


@pytest.mark.parametrize(
    ("text", "is_taken"),
    [
        ("Licensor grants a licence to install and use the Software on forty servers.", True),
        ("Customer may download and run the object code.", True),
        ("Provider grants a right to access and use the Service.", False),
        ("Customer may use the Service and shall not install, copy or download it.", False),
        ("Vendor grants a license to use its marks.", False),
    ],
)
def test_a_licence_to_take_away(root: Path, text: str, is_taken: bool):
    land_run(root, "r1", [with_clause(1, "license_grant", text)])
    assert bool(numbers(root, "hosting_with_licence")) == is_taken


@pytest.mark.parametrize(
    ("text", "is_listed"),
    [
        ("No service credits are granted.", False),
        ("5.1 No rebates or discounts apply.", False),
        ("Nothing in this letter obliges either of us to pay liquidated damages.", False),
        ("No credit exceeds 5%. Customer receives a credit of 1% for each hour.", True),
        ("A discount of 2% applies to any invoice paid within ten days.", True),
    ],
)
def test_a_credit_that_is_denied(root: Path, text: str, is_listed: bool):
    land_run(root, "r1", [with_clause(1, "service_credits", text)])
    assert bool(numbers(root, "variable_consideration")) == is_listed


def test_paper_that_conflicts_is_what_speaks_of_our_orders(root: Path):
    preprinted = "Preprinted terms on any purchase order have no effect."
    rank = "The Agreement prevails over its schedules."
    bought, served = {"our_role": "buyer"}, {"our_role": "seller"}
    cases = [(1, preprinted, bought), (2, rank, bought), (3, preprinted, served)]
    land_run(root, "r1", [with_clause(at, "order_of_precedence", text, **side) for at, text, side in cases])
    assert numbers(root, "paper_conflicts") == {1}


def test_signs_of_a_lease(root: Path):
    cases = [
        "Vendor keeps dedicated servers for Buyer.",
        "No dedicated capacity is kept.",
        "Use of equipment is shared.",
    ]
    land_run(root, "r1", [with_clause(at, "delivery", text) for at, text in enumerate(cases, 1)])
    assert numbers(root, "embedded_leases") == {1}


def test_the_words_of_r50_are_those_of_the_playbook():
    rule = next(rule for rule in yaml.safe_load(PLAYBOOK.read_text(encoding="utf-8"))["rules"] if rule["id"] == "R50")
    found = {case["found"] for case in rule["when"]}
    assert {text for text in found if text.startswith("equipment or capacity")}
    assert {text for text in found if text.startswith("our order terms")}


@pytest.mark.parametrize(
    ("found", "question"),
    [
        ("equipment or capacity kept for us alone", "embedded_leases"),
        ("our order terms are rejected, and no signed agreement is at hand", "paper_conflicts"),
        ("no right to leave early in a term of 36 months", None),
    ],
)
def test_r50_counts_for_its_own_reason(root: Path, found: str, question: str | None):
    rows = batch(1, "r1", our_role="buyer")
    rows["flags"][0] |= {"rule_id": "R50", "found": found}
    land_run(root, "r1", [rows])
    assert [name for name in ("embedded_leases", "paper_conflicts") if numbers(root, name)] == (
        [question] if question else []
    )


def test_a_filled_form_is_not_edited(root: Path):
    rows = [batch(at, "r1") for at in (1, 2)]
    rows[0]["edit_marks"][0] |= {"source": "form_field", "kind": "insertion"}
    land_run(root, "r1", rows)
    assert numbers(root, "photos_and_handwriting") == {2}


def test_price_rights_are_those_we_grant(root: Path):
    capped = {"renewal_type": "auto", "price_increase_type": "capped", "price_increase_cap_percent": "3"}
    land_run(root, "r1", [sold(1, **capped), batch(2, "r1", our_role="buyer", **capped)])
    assert numbers(root, "renewal_price_rights") == {1}


def test_an_index_without_a_cap_is_uncapped(root: Path):
    bought = {"our_role": "buyer", "price_increase_type": "index"}
    land_run(root, "r1", [batch(1, "r1", **bought), batch(2, "r1", **bought, price_increase_cap_percent="4")])
    assert numbers(root, "vendor_price_increases") == {1}


# --- Decided rows


def test_a_flag_that_was_wrong_is_not_listed(root: Path):
    land_run(root, "r1", [batch(1, "r1"), batch(2, "r1")])
    flag = query(root, "SELECT flag_id FROM flags WHERE contract_id = $id", {"id": identity(1)})[1][0][0]
    for at, (decision, left) in enumerate([("confirmed", {1, 2}), ("rejected", {2}), ("reopened", {1, 2})], 1):
        decide(root, f"v{at}", "flag", flag, decision)
        assert numbers(root, "severe_by_value") == left, decision
    assert answer(root, "rule_hits", "flags", "decided") == [(2, 0)]


def test_a_topic_that_was_wrong_is_not_listed(root: Path):
    land_run(root, "r1", [batch(1, "r1"), batch(2, "r1")])
    topic = query(root, "SELECT asc606_id FROM asc606 WHERE contract_id = $id", {"id": identity(1)})[1][0][0]
    decide(root, "v1", "asc606", topic, "not_applicable")
    assert numbers(root, "financing_candidates") == {2}


def test_a_question_about_a_value_leaves_it_waiting(root: Path):
    rows = batch(1, "r1")
    for row in rows["terms"]:
        row["evidence"] = "unverified" if row["term"] == "currency" else "verified"
    term = next(row["term_id"] for row in rows["terms"] if row["term"] == "currency")
    land_run(root, "r1", [rows])
    decide(root, "v1", "term", term, "needs_info")
    assert answer(root, "unverified_values", "term") == [("currency",)]
    decide(root, "v2", "term", term, "confirmed")
    assert answer(root, "unverified_values", "term") == []


def test_the_record_has_each_contract_once(root: Path):
    land_run(root, "r1", [batch(1, "r1")])
    land_run(root, "r2", [batch(1, "r2", 2, title="Second")])
    assert answer(root, "record_as_of", "title", "version") == [("Second", 2)]
    columns = ask(root, "record_as_of")[0]
    assert columns == [*TABLE_BY_NAME["contracts"].columns, "finished_at"]
