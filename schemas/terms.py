"""The terms: what is asked of every contract, in the order of the `contracts` table."""

from typing import Literal

from schemas.base import Frozen

TermType = Literal["text", "choice", "date", "number", "days", "money", "parties", "flag"]


class TermSpec(Frozen):
    """A term: its column in `contracts`, its type, the allowed values of a choice, and its question."""

    name: str
    type: TermType
    unit: str | None = None
    choices: tuple[str, ...] = ()
    derived: bool = False
    question: str


def _term(name: str, type: TermType, question: str, *, unit=None, choices="", derived=False) -> TermSpec:
    return TermSpec(
        name=name,
        type=type,
        question=question,
        unit=unit,
        choices=tuple(choices.split()),
        derived=derived,
    )


CONTRACT_TYPES = "nda msa sow order_form amendment license services purchase lease reseller dpa other"

TERMS: tuple[TermSpec, ...] = (
    _term("title", "text", "What is the document called?"),
    _term("contract_type", "choice", "What kind of contract is it?", choices=CONTRACT_TYPES),
    _term("parties", "parties", "Who are the parties, and in which role?"),
    _term("counterparty", "text", "Which party is not ours?", derived=True),
    _term("our_entity", "text", "Which party is ours?", derived=True),
    _term("our_role", "choice", "Do we sell or buy?", choices="seller buyer mutual", derived=True),
    _term("agreement_date", "date", "Which date does the agreement bear?"),
    _term("signed_date", "date", "When was it signed last?"),
    _term("effective_date", "date", "When does it take effect?"),
    _term("expiration_date", "date", "When does the stated initial term end?"),
    _term("initial_term_months", "number", "How long is the initial term?", unit="months"),
    _term("renewal_type", "choice", "Does it renew?", choices="auto optional none evergreen"),
    _term("renewal_term_months", "number", "For how long does it renew?", unit="months"),
    _term("renewal_notice_days", "days", "How long before its end must non-renewal be told?", unit="days"),
    _term("notice_deadline", "date", "By when must non-renewal be told?", derived=True),
    _term("current_period_end", "date", "When does the running period end?", derived=True),
    _term("accounting_term_end", "date", "When does the non-cancellable period end?", derived=True),
    _term(
        "termination_for_convenience",
        "choice",
        "Who may terminate without cause?",
        choices="either customer provider none",
    ),
    _term("termination_notice_days", "days", "With what notice may they?", unit="days"),
    _term("termination_fee", "text", "What does terminating early cost?"),
    _term("governing_law", "text", "Which law governs?"),
    _term("currency", "text", "In which currency is it?"),
    _term("total_value", "money", "What are the fixed and minimum fees of the initial term?"),
    _term(
        "total_value_basis",
        "choice",
        "What does the total value rest on?",
        choices="fixed fixed_plus_minimum rates_only",
    ),
    _term("annual_value", "money", "What are the recurring fixed fees of a year?"),
    _term("payment_terms_days", "days", "When are invoices due?", unit="days"),
    _term(
        "billing_frequency",
        "choice",
        "How often is it billed?",
        choices="one_time monthly quarterly annual milestone usage",
    ),
    _term("billing_timing", "choice", "Billed in advance or in arrears?", choices="advance arrears"),
    _term("late_fee_percent_per_month", "number", "What does late payment cost?", unit="percent_per_month"),
    _term("price_increase_type", "choice", "May prices rise?", choices="none capped uncapped index"),
    _term("price_increase_cap_percent", "number", "By how much at most?", unit="percent"),
    _term(
        "liability_cap_type",
        "choice",
        "How is liability capped?",
        choices="amount fees_multiple uncapped none",
    ),
    _term("liability_cap_amount", "money", "At what amount?"),
    _term("liability_cap_months", "number", "At how many months of fees?", unit="months"),
    _term("liability_cap_basis", "text", "Fees paid or payable, looking back or over the term?"),
    _term("minimum_commitment", "money", "What must be bought at least?"),
    _term("minimum_commitment_period", "text", "In which period?"),
    _term("fully_executed", "flag", "Have all parties signed?"),
)

TERM_BY_NAME = {spec.name: spec for spec in TERMS}
