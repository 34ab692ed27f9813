"""Cues: words that a lawyer would search for to find a clause. Features of the second stage, never an answer alone.

They matter most for the categories with few labelled examples: trees that weigh all categories at once learn
what a cue is worth, and that holds for a rare category too. "~40~" stands for up to 40 characters of the same
sentence.
"""

import re

import numpy as np

_GAP = re.compile(r"~(\d+)~")

_CUES: dict[str, tuple[str, ...]] = {
    "expiration_date": (
        r"\b(?:expir\w+|initial term|terminate[sd]? on|continue (?:in (?:full )?(?:force|effect))"
        r"|remain in (?:full )?(?:force|effect))\b",
        r"\bterm (?:of|for|shall)\b",
        r"\bperiod of\b~40~\byears?\b",
    ),
    "renewal_term": (
        r"\b(?:automatic(?:ally)?\s+(?:be\s+)?(?:renew|exten)\w*|renew(?:ed|s|al)?\b|successive"
        r"|extended? for (?:an )?(?:additional|further))",
    ),
    "notice_period_to_terminate_renewal": (
        r"\b(?:non-?renew\w*|not (?:to )?(?:renew|extend)|intent(?:ion)?\b~40~\b(?:not|terminat)\w*|unless\b"
        r"~120~\bnotice)\b",
    ),
    "governing_law": (
        r"\b(?:governed (?:by|in)|construed (?:and|in|under)|laws? of (?:the )?(?:state|commonwealth|province"
        r"|republic|people)|governing law)\b",
    ),
    "most_favored_nation": (
        r"\bmost[- ]favou?red",
        r"\b(?:no|not) less favou?rable\b~120~",
        r"\bas favou?rable\b",
        r"\bmore favou?rable\b~120~\b(?:other|third|any)",
        r"\b(?:lower|better|lowest|best) (?:\w+ )?(?:price|fee|rate|terms?|royalt)\w*~100~\b(?:other|another"
        r"|any|third)",
    ),
    "competitive_restriction_exception": (
        r"\b(?:notwithstanding|except|provided|nothing|shall not (?:apply|prevent|prohibit|restrict)"
        r"|other than|however)\b~220~\b(?:compet\w+|exclusiv\w+|restrict\w+|solicit\w*)",
        r"\b(?:compet\w+|exclusiv\w+)\b~200~\b(?:shall not (?:apply|prevent|prohibit|restrict)|except"
        r"|other than)\b",
    ),
    "non_compete": (
        r"\b(?:not|neither|no)\b~160~\bcompet(?:e|es|ing|itive|itor)\b",
        r"\bcompet(?:e|ing|itive|itor)\w*\b~140~\b(?:not|neither)\b",
        r"\bnon-?compet\w+",
        r"\bcovenant not to compete\b",
    ),
    "exclusivity": (
        r"\b(?:exclusive(?:ly)?|exclusivity|sole (?:and exclusive )?(?:supplier|provider|distributor|right"
        r"|source|agent)|solely from)\b",
    ),
    "no_solicit_of_customers": (
        r"\b(?:solicit\w*|divert|induce|entice|call (?:up)?on|interfere)\b~160~\b(?:customers?|clients?"
        r"|accounts?|franchisees?|advertisers?|subscribers?|patients?)\b",
    ),
    "no_solicit_of_employees": (
        r"\b(?:solicit\w*|hire|employ|recruit|induce|entice|engage)\b~160~\b(?:employees?|personnel|employed"
        r"|employment|staff)\b",
    ),
    "non_disparagement": (
        r"\b(?:disparag\w+|derogat\w+|defam\w+|denigrat\w+|malign|(?:harm|injur|damag|tarnish|detract|impair"
        r"|reflect)\w*\b~80~\b(?:reputation|goodwill|good will|image|unfavou?rabl\w*|adversely))",
    ),
    "termination_for_convenience": (
        r"\bterminat\w+\b~140~\b(?:without cause|for convenience|any reason|no reason|at any time"
        r"|without (?:any )?(?:reason|penalty|cause)|(?:in )?(?:its|their) (?:sole )?discretion)\b",
        r"\b(?:without cause|at any time|any reason|convenience)\b~140~\bterminat\w+",
    ),
    "rofr_rofo_rofn": (
        r"\b(?:right of first|first (?:right|refusal|offer|negotiat\w+|option|opportunity)|rofr|rofo|rofn"
        r"|negotiate exclusively|option to (?:purchase|acquire|license))\b",
    ),
    "change_of_control": (
        r"\bchange (?:of|in) (?:the )?control\b",
        r"\b(?:merger|consolidat\w+|sale of (?:all|substantially)|acqui(?:red|sition)|ownership|control)\b"
        r"~180~\b(?:terminat\w+|consent|notice|notify)\b",
        r"\b(?:terminat\w+|consent)\b~180~\b(?:merger|change (?:of|in) control|controlling interest"
        r"|acqui(?:red|sition) (?:by|of))\b",
    ),
    "anti_assignment": (r"\b(?:assign(?:ed|able|ment|s)?|transfer(?:red|able)?|delegate)\b",),
    "revenue_profit_sharing": (
        r"\b(?:royalt(?:y|ies)|revenue[- ]shar\w*|commissions?|profit[- ]shar\w*|percent(?:age)? of"
        r"|\d+(?:\.\d+)?\s?(?:%|percent)\)?~60~\b(?:revenue|sales|profits?|proceeds|receipts|net|gross))",
    ),
    "price_restrictions": (
        r"\b(?:pric\w+|rates?|fees?|charges?)\b~120~\b(?:not (?:be )?(?:increase|exceed|raise)\w*"
        r"|no more than|(?:increase|adjust)\w*\b~60~\b(?:exceed|more than|once|consent)|maximum"
        r"|minimum (?:resale|advertised)|fixed|firm)\b",
        r"\bnot\b~40~\b(?:increase|raise|reduce|lower|change)\b~60~\b(?:pric\w+|rates?|fees?)\b",
    ),
    "minimum_commitment": (
        r"\b(?:minimum|at least|no(?:t)? (?:less|fewer) than|guarantee\w*|take[- ]or[- ]pay)\b~140"
        r"~\b(?:purchas\w+|order|quantit\w+|pay\w*|royalt\w+|fee|units|revenue|sales|commit\w*|volume|annual"
        r"|spend|per (?:year|month|quarter))",
    ),
    "volume_restriction": (
        r"\b(?:not|no)\b~60~\b(?:exceed|more than|in excess)\b~120~\b(?:units?|users?|copies|quantit\w+"
        r"|number|hours|volume|impressions|seats|capacity|tons?|barrels|gallons)\b",
        r"\b(?:maximum|up to|limit(?:ed)? (?:of|to)|excess (?:usage|of)|additional (?:fee|charge))\b~90"
        r"~\b(?:units?|users?|copies|quantit\w+|number|hours|volume|impressions|seats|capacity)",
    ),
    "ip_ownership_assignment": (
        r"\b(?:assigns?|assign and transfer|hereby assign|work(?:s)? (?:made )?for hire|vest(?:s|ed)?"
        r"|(?:sole )?(?:and exclusive )?(?:property|owner(?:ship)?) of|shall (?:own|be owned|belong))\b~200"
        r"~\b(?:intellectual|property|invention\w*|rights?|title|patents?|copyright\w*|works?|improvements?"
        r"|data|trademarks?)?",
    ),
    "joint_ip_ownership": (
        r"\bjoint(?:ly)?[- ](?:own\w*|develop\w*|invent\w*|patent\w*|ip|intellectual|technology"
        r"|improvement\w*|title|copyright)\b",
        r"\b(?:own\w*|title|vest\w*|held)\b~60~\b(?:jointly|equal(?:ly)? (?:and )?undivided|co-own\w*"
        r"|both parties|equal shares)\b",
    ),
    "license_grant": (
        r"\b(?:grants?|granted|licen[cs]es?d?)\b~140~\b(?:licen[cs]e|right|sublicen[cs]e)\b",
        r"\bright (?:and licen[cs]e )?to use\b",
    ),
    "non_transferable_license": (
        r"\bnon-?(?:transferr?able|assignable|sublicen[cs]able)\b",
        r"\bnot (?:be )?(?:sublicen[cs]e|transferr?(?:able|ed)?|assign)\b",
    ),
    "affiliate_license_licensor": (
        r"\b(?:licensor|grantor|supplier|company|its|their|each)\b~40~\b(?:and|on behalf of)\b~20~\b(?:its"
        r"|their)\b~20~\baffiliates?\b~60~\b(?:grants?|licen[cs]e|hereby)",
        r"\baffiliates?\b~60~\b(?:hereby grants?|patents|intellectual property|licen[cs]e to)",
    ),
    "affiliate_license_licensee": (
        r"\b(?:grants?|licen[cs]e|right)\b~160~\b(?:affiliates?|subsidiar(?:y|ies))\b",
        r"\b(?:affiliates?|subsidiar(?:y|ies))\b~100~\b(?:use|sublicen[cs]e|licen[cs]e[de]?)\b",
    ),
    "unlimited_all_you_can_eat_license": (
        r"\b(?:unlimited|enterprise[- ]wide|unrestricted|without (?:limit|restriction)\w*)\b~120"
        r"~\b(?:licen[cs]e|use|users?|copies|rights?|number)\b",
        r"\b(?:licen[cs]e|right|use)\b~100~\b(?:unlimited|unrestricted|without limitation as to)\b",
    ),
    "irrevocable_or_perpetual_license": (r"\b(?:irrevocabl[ey]|perpetual(?:ly)?|in perpetuity)\b",),
    "source_code_escrow": (r"\b(?:escrow\w*|source code)\b",),
    "post_termination_services": (
        r"\b(?:upon|after|following|on|in the event of)\b~60~\b(?:terminat\w+|expir\w+)\b~200~\b(?:shall|will"
        r"|may|must|continue|sell[- ]off|wind|transition|return|cease|pay)",
        r"\b(?:sell-?off|wind-?(?:up|down)|transition (?:period|services|assistance)|surviv\w+)\b",
    ),
    "audit_rights": (
        r"\b(?:audit\w*|inspect\w*|examin\w+|books (?:of account )?and records|access to\b~40~\b(?:records"
        r"|books|facilit\w+|premises))\b",
    ),
    "uncapped_liability": (
        r"\b(?:except|other than|excluding|shall not apply|unlimited|notwithstanding|with the exception)\b"
        r"~240~\b(?:liab\w+|damages|indemni\w+|gross negligence|wil+ful|fraud|confidential\w*)",
        r"\b(?:limitation|liab\w+)\b~200~\b(?:shall not apply|do(?:es)? not apply|except)\b",
    ),
    "cap_on_liability": (
        r"\b(?:liab(?:le|ility|ilities)|damages)\b~200~\b(?:exceed|limited to|consequential|indirect|punitive"
        r"|incidental|special|cap|maximum|aggregate)\b",
        r"\b(?:in no event|neither party|not be liable)\b~100~\b(?:liab\w+|damages)\b",
    ),
    "liquidated_damages": (
        r"\bliquidated\b",
        r"\b(?:termination|cancellation|early termination|break-?up) (?:fee|charge|payment|penalt)\w*",
        r"\bpenalt(?:y|ies)\b~80~\b(?:pay|amount|day|\$)",
        r"\bas (?:a )?(?:genuine )?(?:pre-?estimate|penalty)\b",
    ),
    "warranty_duration": (
        r"\b(?:warrant\w*|defect\w*)\b~220~\b(?:days?|months?|years?|period)\b",
        r"\bwarranty period\b",
        r"\b(?:period|days?|months?|years?)\b~80~\bwarrant\w*",
    ),
    "insurance": (r"\b(?:insur(?:ance|ed|er|ers)|self-insur\w+|polic(?:y|ies) of)\b",),
    "covenant_not_to_sue": (
        r"\b(?:covenants? not to|not (?:to )?(?:contest|challenge|attack|dispute|sue|oppose|institute|assert"
        r"|assist|question|impeach|register)|releases?(?: and)?(?: forever)? discharg\w+|never (?:contest"
        r"|challenge)|waives? (?:any|all) (?:claim|right)s?)\b",
    ),
    "third_party_beneficiary": (
        r"\bthird[- ]party beneficiar\w+",
        r"\bbeneficiar(?:y|ies)\b",
        r"\b(?:benefit|enforce\w*)\b~80~\b(?:third part(?:y|ies)|person(?:s)? (?:other|not))",
    ),
}
_LOOKS = (
    r"\b(?:shall|will|agrees?|must)\b",
    r"\b(?:means?|defined)\b",
    r"\b(?:not|no|neither)\b",
    r"\b(?:provided|except|unless|notwithstanding)\b",
    r"\$|%|\bpercent",
    r"\b(?:days?|months?|years?)\b",
    r"\bmay\b",
    r"^\W*(?:\(?[a-z0-9]{1,4}[.)]|\d+(?:\.\d+)+)",
    r"\b(?:subject|pursuant) to\b|\baccordance with\b",
    r"\b(?:warrants?|represents?)\b",
    r"\b(?:customer|licensee|buyer|distributor|franchisee|client)\b",
    r"\b(?:whereas|witnesseth)\b",
)


def _compiled(parts: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(_GAP.sub(r"[^.;]{0,\1}", "|".join(parts)), re.IGNORECASE)


CUES = {category: _compiled(parts) for category, parts in _CUES.items()}
"""For each category but names and dates the pattern of its cues; a sentence is searched with its blanks made single."""

LOOKS = tuple(re.compile(look, re.IGNORECASE) for look in _LOOKS)
"""What kind of sentence it is: an obligation, a definition, an exception, an amount, a list item..."""


def cue_hits(plain: list[str], categories: tuple[str, ...]) -> np.ndarray:
    """Whether each sentence has a cue of each category, shape (sentences, categories) of float32 0 or 1."""
    hits = np.zeros((len(plain), len(categories)), np.float32)
    for number, category in enumerate(categories):
        if category in CUES:
            hits[:, number] = _hits(CUES[category], plain)
    return hits


def looks(plain: list[str]) -> np.ndarray:
    """Whether each sentence has each of LOOKS, shape (sentences, len(LOOKS)) of float32 0 or 1."""
    return np.stack([_hits(look, plain) for look in LOOKS], axis=1)


def _hits(pattern: re.Pattern[str], plain: list[str]) -> np.ndarray:
    return np.array([pattern.search(sentence) is not None for sentence in plain], np.float32)
