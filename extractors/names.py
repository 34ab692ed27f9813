"""Names of companies and the roles that parties have in contracts."""

import re

from schemas.names import JAPANESE_FORMS, LEGAL_FORMS

TELLING_ENDINGS = (
    r"Company|COMPANY|Bank|BANK|University|UNIVERSITY|Trust|TRUST|Foundation|Institute|Partners|Holdings|Group|Fund|"
    r"Association|Hospital|Authority"
)
"""Last words that tell a company's name and belong to it."""

SELLER_ROLES = frozenset(
    [
        "provider",
        "vendor",
        "supplier",
        "seller",
        "licensor",
        "contractor",
        "consultant",
        "manufacturer",
        "subcontractor",
        "lessor",
        "landlord",
        "repairer",
        "developer",
        "agency",
        "processor",
        "franchisor",
        "deliverer",
        "purveyor",
        "servicer",
        "host",
        "adviser",
        "advisor",
        "trainer",
        "carrier",
        "operator",
    ]
) | {"service provider", "service company", "services provider", "independent contractor", "the provider"}
BUYER_ROLES = frozenset(
    [
        "customer",
        "client",
        "buyer",
        "purchaser",
        "licensee",
        "subscriber",
        "reseller",
        "distributor",
        "lessee",
        "tenant",
        "user",
        "controller",
        "dealer",
        "franchisee",
        "orderer",
    ]
) | {"end user", "end customer"}
RESELLING = frozenset({"reseller", "distributor", "dealer"})
"""They buy from their supplier; facing a customer they sell."""
NEUTRAL_ROLES = frozenset(
    {"disclosing party", "receiving party", "discloser", "recipient", "party", "company", "partner", "employee",
     "executive", "investor", "shareholder", "borrower", "lender", "guarantor", "agent"}
)  # fmt: skip


def role_side(role: str | None) -> str | None:
    """`customer` for roles that pay, `provider` for roles that are paid, None when the role doesn't tell."""
    role = (role or "").lower().strip()
    if role in BUYER_ROLES:
        return "customer"
    return "provider" if role in SELLER_ROLES else None


def normalised(name: str) -> str:
    """A company's name for comparing: lower case, without punctuation and legal form."""
    bare = re.sub(rf"(?:,\s*|\s+)(?:{LEGAL_FORMS}|Company)$", "", " ".join(name.split()), flags=re.IGNORECASE)
    bare = re.sub(rf"^(?:{JAPANESE_FORMS})|(?:{JAPANESE_FORMS})$", "", bare)
    return re.sub(r"[\W_]+", " ", bare.lower()).strip()
