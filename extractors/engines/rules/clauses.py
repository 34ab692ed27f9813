"""Clauses found by heading and by telling phrases: the finance types that no public data labels, and the few of
CUAD's whose words are unmistakable and which the trained model sees too seldom to know well.

A phrase alone must be unmistakable; a heading alone takes its whole section. Each pattern has words that call
it off, since most of these words stand in other clauses too.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from extractors.chunk import heading_of
from extractors.engines.view import LONGEST_QUOTE
from extractors.values import pattern
from schemas.contract import Clause


class ClauseRule(NamedTuple):
    """How a clause type is told: its headings, its phrases, and what calls a phrase off."""

    clause_type: str
    heading: re.Pattern[str]
    phrase: re.Pattern[str]
    unless: re.Pattern[str] | None = None


def _rule(clause_type: str, heading: str, phrase: str, unless: str | None = None) -> ClauseRule:
    return ClauseRule(clause_type, pattern(heading), pattern(phrase), pattern(unless) if unless else None)


_SUMS = r"invoices?|bills?|fees|amounts?|charges?|payments?|sums?|rent|instal?ments?|fee notes?|price|accounts?|balance"
_PRICES = (
    r"prices?|fees?|rates?|charges?|pricing|rent|retainer|(?:contract|purchase|subscription) (?:sum|price)|tariffs?"
)
_LATE = (
    r"late|overdue|past due|unpaid|arrears|outstanding|delinquent|not paid|in default of payment|after (?:the|its|that) (?:due )?date|paid after|"
    r"not (?:received|in [^.;]{0,20} hands)|fell due|missed payments?"
)
_THINGS = r"deliverables?|goods|products?|services?|work|works|software|equipment|articles|lot|shipment|system|plant|units|solution|consignment|machine"
_GOODS = (
    r"goods|products?|equipment|machines?|materials?|units|articles|shipments?|consignments?|vehicles?|plant|hardware"
)
_ENDS = (
    r"terminat\w+|cancel\w*|(?:bring|brought)[^.;]{0,30} to an end|determine[sd]?|rescind\w*|walk away|put an end to|"
    r"end (?:this|the) (?:agreement|contract|licen[cs]e)|at an end"
)
_CAUSES = (
    r"\b(?:material(?:ly)? breach|breach\w*|defaults?|insolven\w*|bankrupt\w*|receiver|winding up|liquidat(?:ion|or)|creditors|cease[sd]? trading|"
    r"fail(?:s|ure)?\b[^.;]{0,60}\b(?:pay|perform|comply|cure|remedy|observe)|unable to pay|repudiat\w*|misconduct|for cause|uncured|fraud)"
)
_NOT_A_CLAUSE = pattern(
    r"^[\W\d]*[\"“][^\"”]{1,60}[\"”] (?:means|has the meaning|shall mean|refers to)|\.{4,}\s*\d|(?:[;,]\s*\d+\.\s+[A-Z][^.;]{2,40}){2}|\bheadings\b|\b(?:titles|captions)\b[^.;]{0,80}\b(?:reader|convenience|reference)|"
    r"^[^.;]{0,80}[;,][^.;]{0,80}\s\d{1,3}$|\bshall survive\b|\bsurvive (?:the )?(?:expir|terminat)"
)
"""Definitions, tables of contents, lists of what survives: sentences that name a clause and are none."""

RULES: tuple[ClauseRule, ...] = (
    _rule(
        "change_of_control",
        r"\bchange (?:of|in) control\b",
        r"\bchange (?:of|in) control\b[^.;]{0,200}\b(?:terminat|consent|assign|notice|notify)|\b(?:terminat|consent|assign)\w*[^.;]{0,200}"
        r"\bchange (?:of|in) control\b",
        r"\bmeans\b",
    ),
    _rule(
        "most_favored_nation",
        r"\bmost[- ]favou?red\b",
        r"\bmost[- ]favou?red\b|\b(?:no less|not less|at least as) favou?rable\b[^.;]{0,120}\b(?:other|any) (?:\w+ )?(?:customer|client|licensee|"
        r"buyer|purchaser|party)|\blower (?:price|fee|rate)s?\b[^.;]{0,120}\b(?:other|another|any) (?:\w+ )?(?:customer|client|buyer)",
        r"\bnot agreed\b|\bno obligation\b|\bnot given\b|\bdoes not\b|\bnot promise",
    ),
    _rule(
        "exclusivity",
        r"^[\d. ]*(?:exclusivity|exclusive (?:appointment|rights?|dealing))$",
        r"\b(?:sole and exclusive|exclusive)\b[^.;]{0,60}\b(?:reseller|distributor|supplier|provider|agent|licen[cs]ee|appointment|dealer|right to "
        r"(?:sell|distribute|market|supply)|territory|basis)\b|\b(?:shall|will) (?:neither|not) (?:appoint|engage|purchase from|buy from|sell to)\b"
        r"[^.;]{0,100}\b(?:other|any|third)",
        r"^(?!.*\b(?:appoint|grant|shall|will|agree|undertak)\w*)|\bnon-?exclusiv|\bnot (?:be )?(?:the )?exclusiv|\bexclusive (?:jurisdiction|remed|propert|owner|venue|right, title)|\bnothing in\b|"
        r"\bno exclusiv",
    ),
    _rule(
        "payment_terms",
        r"\bpayment(?: terms)?\b|\bterms of payment\b|支払",
        rf"\b(?:{_SUMS})\b[^.;]{{0,90}}\b(?:due|payable|paid|pay|settled?|cleared?|remit\w*)\b[^.;]{{0,80}}\b(?:days?|months?|weeks?|fortnight)\b|"
        rf"\b(?:pay|remit|settle|discharge|wire)\w*\b[^.;]{{0,120}}\b(?:within|not later than|no later than|on or before|by|inside|before)\b[^.;]{{0,40}}\b(?:days?|months?|weeks?|fortnight)\b|"
        rf"\bnet[\s-]*(?:[a-z]+ \()?(?:\d+|thirty|sixty|ninety|forty|fifteen)|\b(?:due|payable) (?:up)?on (?:receipt|presentation|signature|the (?:first|last|\d))|"
        rf"\b(?:{_SUMS})\b[^.;]{{0,80}}\b(?:falls? due|is payable|are payable|shall be payable|due date|direct debit|cleared funds|by bank transfer|wired?)\b|"
        r"\b(?:collect\w*|tak\w*|settle)\b[^.;]{0,60}\bdirect debit\b|\btime (?:for|of) payment\b|\b(?:pre-?payment|cash (?:in advance|with order))\b|\bset-?off\b[^.;]{0,80}\b(?:counterclaim|deduction|first|day)\b|"
        r"\bdue date\b[^.;]{0,60}\b(?:withhold|hold back|dispute)|\b(?:remit|instal?ments?)\b[^.;]{0,140}\b(?:business day|calendar month|first day|in advance)\b|支払(?:う|期限)",
        r"\brefund|\boverdue\b|\bpast due\b|\breimburse|\bclosing\b|\barbitrator|\bdividend|\bnotice of termination\b|\bdisclos",
    ),
    _rule(
        "billing",
        r"\binvoic\w+\b|\bbilling\b|請求",
        r"\b(?:shall|will|may|is|are|must|to|be|we|can) (?:be |then be |also )?(?:separately |promptly )?(?:invoiced?|billed?)\b|\b(?:invoices?|bills?|statements?|accounts?)\b[^.;]{0,60}\b(?:shall|will|must|to|may) (?:be )?"
        r"(?:issued?|sent|submitted|rendered|raised|e-?mailed|delivered|itemi[sz]ed?|show|quote|state|list)\b|\b(?:issue|send|submit|render|raise|provide|present|e-?mail)\w*\b[^.;]{0,60}\b(?:invoices?|bills?|statements? of (?:account|charges)|(?:true )?accounts? of|its accounts?)\b|"
        r"\bentitled to (?:raise|submit|issue)[^.;]{0,20}\binvoice|\b(?:monthly|quarterly|annual|weekly|consolidated|tax|electronic) (?:invoice|bill|statement)s?\b|\bwe bill\b|\bbilled (?:in|monthly|quarterly|annually|yearly|when|upon|on)\b|"
        r"\berrors? in (?:a|any|the) (?:bill|invoice)\b|\bline (?:on|item)[^.;]{0,40}\b(?:bill|invoice)\b",
        r"^[\W\d]*[\"“]",
    ),
    _rule(
        "fees",
        r"\bfees?\b|\bpric(?:e|es|ing)\b|\bcharges\b|\bcompensation\b|\bconsideration\b|\bremuneration\b|料金|代金|報酬",
        rf"\b(?:{_PRICES})\b[^.;]{{0,100}}(?:\$|USD|EUR|GBP|€|£|¥)\s*\d|(?:\$|USD|EUR|GBP|€|£|¥)\s*[\d,.]+[^.;]{{0,40}}\b(?:per|a|each|every|for (?:every|each))\s+(?:\w+ )?(?:month|year|quarter|hour|day|unit|user|seat|licen[cs]e|call|visit|ton\w*|copy|week)\b|"
        rf"\b(?:pay|paid|charged?|costs?)\b[^.;]{{0,80}}\b(?:{_PRICES})\b[^.;]{{0,60}}\b(?:set (?:forth|out)|specified|stated|shown|listed|in (?:exhibit|schedule|annex|the order))|"
        r"\b(?:price|fees?|charges?|rates?) (?:of|for|payable for) (?:the |each |all )?\w+(?: \w+)? (?:shall be|is|are|will be)\b|\b(?:commission|royalt(?:y|ies)|retainer|remuneration)\b[^.;]{0,80}(?:\d+(?:\.\d+)?\s*(?:%|per ?cent)|per ?cent\w*|\$|£|€)|"
        r"\b(?:fixed|lump) (?:lump )?(?:sum|price|fee)\b|\b(?:exclusive|inclusive) of\b[^.;]{0,60}\b(?:tax|vat|freight|carriage)",
        r"\barbitrator|\battorneys?'?|\blegal fees\b|\bper month\b[^.;]{0,40}\bunpaid|\blate\b|\boverdue\b|\bper share\b",
    ),
    _rule(
        "late_fee",
        r"\blate (?:payment|fee|charge)s?\b|\binterest\b|\barrears\b|遅延損害金",
        rf"\b(?:{_LATE})\b[^.;]{{0,180}}\b(?:interest|late (?:fee|charge)|per month|per annum|surcharge|penalty|(?:service|finance|delinquency|administrative|extra) (?:charge|fee)|charge of|further (?:\$|£|€)|above (?:the )?base)|"
        rf"\b(?:interest|surcharge|penalty|(?:service|finance|delinquency|administrative|late) (?:charge|fee))\b[^.;]{{0,140}}\b(?:{_LATE})\b|\bpay us after the due date\b|\bcosts? of collection\b[^.;]{{0,120}}\b(?:delinquent|unpaid|overdue)",
    ),
    _rule(
        "discount",
        r"\bdiscounts?\b|\brebates?\b",
        r"\b(?:discount|rebate|reduction)\w*\b[^.;]{0,80}\d+(?:\.\d+)?\s*(?:%|per ?cent)|\d+(?:\.\d+)?\s*(?:%|per ?cent|points?)[^.;]{0,50}\b(?:discount|rebate|reduction|off)\b|\b(?:per ?cent|tenth|quarter|third|half|points) off\b|"
        r"\b(?:early|prompt)[ -]?(?:payment|booking|settlement) (?:discount|reduction|rebate)s?\b|\b(?:earns?|receive|entitled to|enjoys?|allowed|pass on|grant\w*|offers?|qualif\w+)\b[^.;]{0,60}\b(?:discounts?|rebates?|price reductions?|trade terms)\b|"
        r"\b(?:knock|take|deduct)s?\b[^.;]{0,30}(?:%|per ?cent|\$|£)[^.;]{0,30}\b(?:off|from)\b|\b(?:shall|will)\b[^.;]{0,60}\breduce the (?:prices?|fees|rates)\b",
        r"\bdiscount rate\b|\bdiscounted cash|\bpresent value\b|\bno discount\b",
    ),
    _rule(
        "price_increase",
        r"\bprice (?:increase|adjustment|change|protection|review|revision|variation)s?\b|\bfee (?:increase|adjustment)s?\b|\buplift\b|\bescalation\b",
        rf"\b(?:increas|rais|adjust|uplift|revis|escalat|alter|indexed|vary|varied|review|re-?set)\w*\b[^.;]{{0,80}}\b(?:{_PRICES})\b|\b(?:{_PRICES})\b[^.;]{{0,80}}\b(?:increas\w*|raised?|uplift|adjust\w*|escalat\w*|revis\w*|go up|rise|indexed|multiplied|held)\b|"
        rf"\b(?:{_PRICES})\b[^.;]{{0,60}}\b(?:are|is|remain|be) (?:fixed|firm)\b|\b(?:convert|renews?|move)\w*\b[^.;]{{0,60}}\b(?:then[- ]current|prevailing|rates? (?:on|at)|list price)|\bpass on\b[^.;]{{0,120}}\b(?:price|surcharge|duty|cost)|\bconsumer price index\b|\b(?:CPI|RPI)\b|\bthe Index\b",
        r"\binterest rate|\bheadcount|\binsurance|\bpremium|\bshares?\b|\bclosing\b|\bworking capital\b|\bconversion price\b|\bexercise price\b|\bcommission\b|\blimits of liability\b",
    ),
    _rule(
        "refund",
        r"\brefunds?\b|返金",
        r"\brefund(?:s|ed|able|ing)?\b|\bmoney[- ]back\b|\bnon-?refundable\b|\b(?:repay|repaid|return|restore|hand(?:ed)? back|give back|reimburse|credit back|recover|paid back)\b[^.;]{0,90}\b(?:prepaid|pre-paid|deposit|unearned|unused|advance|pro[- ]rat[ae]|(?:licen[cs]e|subscription) fees?|amounts? paid|sums? paid|price paid|fees? paid|money)\b|"
        r"\b(?:prepaid|unused|unearned|advance\w*|deposit|sums? received)\b[^.;]{0,120}\b(?:repaid|returned|handed back|paid back|forfeit\w*|retained)\b|\brepaid in full\b|\brepay (?:to )?(?:customer|client|the)\b",
        r"\btax refund|\brefund of (?:tax|duty)|\bloan\b|\brefunding bonds\b|\brefund window\b[^.;]{0,20}\b(?:has|means)",
    ),
    _rule(
        "acceptance",
        r"\bacceptance\b|\binspection\b|検収",
        rf"\b(?:deemed|acceptance|accept|accepted|reject|refuse|inspect|examin\w+|test\w*)\b[^.;]{{0,110}}\b(?:{_THINGS})\b|\b(?:{_THINGS})\b[^.;]{{0,130}}\b(?:accepted|acceptance|reject\w*|inspect\w*|examin\w+|taking[- ]over|sign(?:ed)?[- ]off|conforms?|in good order|complete and in order)\b|"
        r"\b(?:acceptance (?:test|criteri|certificate|period|procedure)\w*|taking[- ]over certificate|delivery certificate|user (?:acceptance|trials?)|sign[- ]off|parallel run|performance (?:trials?|tests?))\b|\btreated as accepted\b|\bdeemed accept\w+|検収",
        r"\baccept\w* (?:of )?(?:this|the terms|these|the offer|appointment)|\bpurchase orders? (?:is|are|shall be) (?:accepted|binding)|\bassign|\binspect\w*[^.;]{0,40}\b(?:books|records|premises)",
    ),
    _rule(
        "service_credits",
        r"\bservice (?:level )?credits?\b|\bservice levels?\b|\bSLA\b",
        r"\bservice (?:level )?credits?\b|\bcredits?\b[^.;]{0,100}\b(?:uptime|availability|downtime|outages?|service levels?|response time|missed|metric)\b|\b(?:uptime|availability|response times?|outages?|downtime|service levels?|performance (?:indicators?|points|standards?)|KPIs?|key performance)"
        r"\b[^.;]{0,160}\b(?:credits?|credited|deduct\w*|reduction|abate\w*|forfeit\w*|rebate|free (?:day|month))\b|\b(?:hours?|minutes?)\b[^.;]{0,40}\b(?:is down|downtime|unavailab\w+)\b[^.;]{0,80}\b(?:free|credit|deduct)|\b(?:at-risk amount|liquidated abatements?)\b|"
        r"\bcredits?\b[^.;]{0,120}\b(?:exceed|capped|limited to|more than|up to|at most)\b[^.;]{0,40}\d+(?:\.\d+)?\s*(?:%|per ?cent)[^.;]{0,60}\b(?:fees?|charges?|month|quarter)|"
        r"\b(?:fails?|failure|miss(?:es|ed)?|below|not met|breach\w*|short of|unavailab\w+|is down)\b(?:[^.;]|\d\.\d){0,200}\bcredits? (?:of|equal to|worth|in the amount of)\b[^.;]{0,40}(?:%|per ?cent|\$|£|€)",
        r"\bno (?:service (?:level )?)?credits?\b[^.;]{0,30}\b(?:granted|given|due|payable|owed|accrues?|apply|available|earned|offered|paid|allowed)\b|"
        r"\bnot (?:be )?(?:entitled to|receive|grant\w*|give|offer\w*|earn) (?:any )?(?:service (?:level )?)?credits?\b|\b(?:letters? of credit|credit (?:cards?|limits?|lines?|insurance)|tax credits?)\b",
    ),
    _rule(
        "liquidated_damages",
        r"\bliquidated damages\b|\bdelay damages\b",
        r"\b(?:late|delay\w*|overdue)\b[^.;]{0,160}\b(?:credits?|reduction|deduct\w*|rebate|abate\w*|damages|compensation|penalty|pays?)\b(?:[^.;]|\d\.\d){0,80}(?:%|per ?cent|\$|£|€)[^.;]{0,80}\b(?:per|each|every)\b[^.;]{0,20}\b(?:days?|weeks?|months?)\b",
        r"\b(?:late|overdue|delay\w*|unpaid)[^.;]{0,30}\b(?:payments?|invoices?|amounts?|sums?)|\b(?:payments?|invoices?|amounts?|sums?)[^.;]{0,40}\b(?:late|overdue|delayed|unpaid)|\binterest\b|\bno liquidated damages\b",
    ),
    _rule(
        "non_compete",
        r"^[\d. ]*(?:non-?compet\w+|no competition|covenants? not to compete)$",
        r"\b(?:shall|will|may|must|agrees? to|undertakes? to) not (?:directly or indirectly )?[^.;]{0,60}\b(?:deliver|supply|sell|provide|offer|perform|licen[cs]e|render|market|distribute|resell|work)\b[^.;]{0,100}\b(?:to|for|with) any "
        r"(?:other|competing|rival) (?:\w+ ){0,2}(?:operators?|customers?|compan(?:y|ies)|business(?:es)?|chains?|groups?|banks?|insurers?|retailers?|manufacturers?|buyers?|clients?|distributors?|dealers?|resellers?|firms?|hospitals?|airlines?|carriers?)\b",
        r"\bconfiden\w+|\bdisclos\w+|\bnothing in\b|\bon (?:terms|prices)\b|\bmore favou?rable\b|\blower (?:price|fee|rate)s?\b",
    ),
    _rule(
        "warranty",
        r"\bwarrant(?:y|ies)\b|\bguarantees?\b|保証",
        r"\b(?:warrants|warranty|warranties|warrant that|guarantees? that|guaranteed? (?:against|for|a|the|shall))\b|\bas[- ]is\b|\bas available\b|\bmerchantab\w+|\bfit(?:ness)? for (?:a|any|its|the|their) (?:\w+ )?purpose\b|\bwith all faults\b|\bfree (?:from|of) (?:\w+ )?defects?\b|"
        r"\b(?:repair|replace|mend|re-?perform|make good)\b[^.;]{0,120}\b(?:defect\w*|free of charge|at (?:no|its own) (?:cost|charge|expense)|faulty|non-?conform\w*|parts and labou?r)\b|\bdefects? liability period\b",
        r"\b(?:authori[sz]ed|authority|power|duly organi[sz]ed|corporate action|binding obligation)\b|\bwarrants? (?:to purchase|certificate|holder)|\bsurvive\b|\bholders? of (?:the )?warrants\b|\bentire\b",
    ),
    _rule(
        "indemnity",
        r"\bindemni\w+\b|\bhold harmless\b|補償",
        r"\bindemnif(?:y|ies|ied)\b|\bindemnit(?:y|ies)\b|\bhold (?:\w+ ){0,4}harmless\b|\bkeep[^.;]{0,40}\bindemnified\b|\b(?:make good|reimburse|compensate|bears?|stand behind|pay)\b[^.;]{0,120}\b(?:losses|judgments?|settlements?|fines?|claims?)\b[^.;]{0,140}\b(?:third part|because|result|arising|incurred|suffer\w*|caus\w+|based on)\b|"
        r"\b(?:sues?|claims? (?:is made )?against)\b[^.;]{0,160}\b(?:defen[cs]e|defend|lawyers|award\w*|pick up the bill|settlement)\b",
        r"\binsurance polic|\bdirectors and officers\b",
    ),
    _rule(
        "confidentiality",
        r"\bconfidential\w*\b|\bnon-?disclosure\b|\bsecrecy\b|秘密保持|機密",
        r"\bconfidential information\b[^.;]{0,160}\b(?:shall|will|must|not|means|may)\b|\b(?:keep|kept|hold|held|treat\w*|maintain\w*)\b[^.;]{0,80}\b(?:confiden\w+|secret|private)\b|\b(?:shall|must|may|will) not\b[^.;]{0,60}\b(?:disclose|divulge|reveal|tell (?:anyone|any)|publish|share)\b|"
        r"\b(?:non-public|proprietary) (?:information|materials?)\b|\btrade secrets?\b[^.;]{0,120}\b(?:disclos|secre|return|destroy|protect)\w*|\bdut(?:y|ies) of (?:secrecy|confiden\w+)\b|\bunauthori[sz]ed disclosure\b|\bnon-disclosure agreement\b|\b(?:receiving party|recipient|discloser|disclosing party)\b|秘密情報",
        r"\bmemorandum\b|\bpersonal data\b",
    ),
    _rule(
        "delivery",
        r"\bdelivery\b|\bshipment\b|\bshipping\b|\btitle and risk\b|\brisk and property\b|引渡|納入",
        rf"\b(?:risk(?: of loss)?|title|ownership|property)\b[^.;]{{0,80}}\b(?:pass(?:es)?|moves?|transfers?)\b|\bincoterms\b|\b(?:FOB|EXW|DDP|DAP|FCA|CIF)\b|\bex works\b|\bshall (?:be )?deliver(?:ed)?\b[^.;]{{0,60}}\b(?:{_GOODS}|site|premises|dock|warehouse)\b|\b(?:{_GOODS})\b[^.;]{{0,60}}\b(?:shall|will|to) be (?:deliver\w*|ship\w*|dispatch\w*|pack\w*|suppl\w*|transported|collected)\b|"
        rf"\b(?:deliver|ship|dispatch|transport|pack|consign)(?:s|ed|ing)?\b[^.;]{{0,50}}\b(?:{_GOODS})\b|\b(?:delivery|dispatch|despatch|ship(?:ping|ment)?|lead) (?:dates?|times?|schedules?)\b|\bdates? (?:quoted )?for (?:dispatch|delivery|shipment)\b|\b(?:part|partial) (?:deliver|ship)\w*|\b(?:carrier|carriage|freight)\b[^.;]{{0,60}}\b(?:{_GOODS}|paid|cost|collect)\b",
        r"\bnotices?\b|\bcourier\b|\bexecuted and delivered\b|\bright, title\b|\bintellectual property\b",
    ),
    _rule(
        "suspension",
        r"\bsuspension\b",
        r"\bsuspen(?:d|ds|ded|sion)\b[^.;]{0,80}\b(?:services?|access|performance|deliver\w*|licen[cs]e|accounts?|works?|perform|obligations)\b|\b(?:services?|access|accounts?|performance|works?)\b[^.;]{0,60}\bsuspen(?:ded|sion)\b|\b(?:take|taken)\b[^.;]{0,30}\boffline\b|\bdown tools\b|"
        r"\b(?:halt|pause|freeze|withhold|block|throttle|disconnect|cut off|keep back|stop|disable|switch off|discontinue)\w*\b[^.;]{0,60}\b(?:services?|access|performance|works?|accounts?|deliver\w*|consignments?|shipments?|assignment|supply|connection|servers?)\b|\b(?:services?|access|assignment|performance)\b[^.;]{0,50}\b(?:paused|blocked|cut off|disabled|withheld|frozen|halted)\b",
        r"\btrading\b|\bshares?\b|\bpayment of\b|\bnot (?:be )?(?:suspend|withh)",
    ),
    _rule(
        "termination_for_cause",
        r"\btermination (?:for )?(?:cause|breach|default)\b|\btermination\b|\bdefault\b|解除",
        rf"\b(?:{_ENDS})\b[^.;]{{0,180}}\b(?:{_CAUSES})|\b(?:{_CAUSES})[^.;]{{0,200}}\b(?:{_ENDS})\b|\b(?:shall|will|is|be|as|count as|constitute) (?:an? )?(?:event of default|material breach)\b|\bnotice to cure\b|\bbreach is remediable\b|解除",
        r"\bconvenience\b|\bcross-default\b",
    ),
    _rule(
        "dispute_resolution",
        r"\bdisputes?\b|\barbitration\b|\bjurisdiction\b|\bvenue\b|管轄|紛争",
        r"\barbitrat(?:ion|ed|or|ors|e)\b|\b(?:exclusive )?jurisdiction\b[^.;]{0,60}\bcourts?\b|\bcourts?\b[^.;]{0,60}\b(?:exclusive )?jurisdiction\b|\bmediat(?:ion|or|ed|e)\b|\badjudicat(?:or|ion|ed)\b|\b(?:tribunal|ICC rules|SIAC|LCIA|JAMS|AAA)\b|"
        r"\b(?:disputes?|disagreements?|fall out|differences?)\b[^.;]{0,140}\b(?:escalat\w+|refer\w*|meet|senior|executives?|managers?|directors?|expert|settle[dr]?|resol\w+|brought)\b|\b(?:venue|suit|action|proceedings?)\b[^.;]{0,60}\b(?:brought|lie|instituted|filed)\b[^.;]{0,60}\bcourts?\b|\bwaives?\b[^.;]{0,40}\bjury\b|管轄裁判所",
        r"\bcourts? of competent jurisdiction\b|\bdisputed (?:amount|invoice|sum)",
    ),
    _rule(
        "order_of_precedence",
        r"\border of precedence\b|\bprecedence\b|\bconflict\b",
        r"\b(?:conflict|inconsisten\w+|discrepanc\w+|disagree|contradict\w*|ambiguit\w+|differ)\b[^.;]{0,160}\b(?:prevail|control|precedence|govern|supersede|follow|ignored|disregard\w*)|\bprevails? over\b|\border of precedence\b|\btakes? precedence\b|\b(?:yields?|rank\w* (?:below|behind|above|ahead)|subordinate) (?:to|of)?\b[^.;]{0,80}\b(?:agreement|exhibit|schedule|order|statement|terms|annex|licen[cs]e)\b|"
        r"\b(?:pre-?printed|additional or different|standard|stamped) terms\b|\bnotwithstanding anything to the contrary\b[^.;]{0,140}\b(?:terms|agreement|order)\b[^.;]{0,30}\b(?:control|govern|prevail)|\bsays one thing\b",
        r"\bconflicts? of (?:laws?|interest)\b",
    ),
    _rule(
        "entire_agreement",
        r"\bentire (?:agreement|understanding|contract)\b|\b(?:whole|complete) (?:agreement|contract)\b|\bintegration\b|\bmerger clause\b|完全合意",
        r"\b(?:entire|whole|complete|full and final|final) (?:and (?:exclusive|complete|entire) )?(?:agreement|understanding|contract|bargain|expression|statement|deal)\b|\b(?:supersed\w+|replaces?|takes? the place of|cancels?)\b[^.;]{0,80}\b(?:prior|previous|earlier|former|all|everything|any)\b[^.;]{0,80}\b(?:agreements?|understandings?|negotiations?|arrangements?|discussions?|said|wrote|proposals?|representations?)\b|"
        r"\b(?:no|not rel\w+)\b[^.;]{0,60}\b(?:prior|side letters?|oral|collateral|other)\b[^.;]{0,80}\b(?:agreements?|understandings?|representations?|correspondence|promises?|letters?|statements?)\b[^.;]{0,80}\b(?:force|effect|beyond|part|exist|relied|made|bind\w*|among|between)\b|完全(?:なる|な)?合意",
        r"\bentire agreement fee\b",
    ),
    _rule(
        "data_protection",
        r"\bdata (?:protection|processing|privacy|security)\b|\bprivacy\b|個人情報",
        r"\b(?:GDPR|CCPA|UK GDPR|personal data|personal information|personally identifiable|data protection (?:law|legislation|act)s?|data processing (?:agreement|addendum)|data subjects?|sub-?processors?|standard contractual clauses|adequacy decision|(?:independent |joint )?(?:data )?controllers?|consumer privacy act|HIPAA|protected health information)\b|"
        r"\b(?:information|data)\b[^.;]{0,60}\b(?:identifiable|identified|about) (?:individual|person|natural|them|you)\w*|\b(?:request|asks?)\b[^.;]{0,50}\b(?:person|individual)s?\b[^.;]{0,60}\b(?:see|access|correct|erase|delete)\b|\bsecurity (?:breach|incident)\b[^.;]{0,80}\bdata\b|個人情報",
        r"\bpersonal data assistant\b|\bfinancial controller\b|\bcontrollers? of (?:the )?company\b",
    ),
    _rule(
        "publicity",
        r"\bpublicity\b|\bpress\b|\bmarketing\b|\breference\b|\bpublic announcements?\b",
        r"\bpress (?:releases?|statements?|conference)\b|\b(?:use|display|list|refer|name|mention|show|identif\w+)\b[^.;]{0,80}\b(?:name|logo|trade ?marks?|customer|client|relationship|reference)\b[^.;]{0,80}\b(?:customer list|website|web site|marketing|advertis\w+|publicity|promotion\w*|reference|clients?|brochures?)\b|"
        r"\b(?:marketing|advertis\w+|publicity|promotion\w*)\b[^.;]{0,80}\b(?:name|logo|trade ?marks?|relationship|reference account)\b|\bcase stud(?:y|ies)\b|\bpublic(?:ity| announcements?| statements?)\b|\b(?:journalists?|the media|news media|reporters?)\b|\bannounce\w*\b[^.;]{0,60}\b(?:agreement|relationship|transaction|deal|signing)\b|\btestimonials?\b",
        r"\bright of publicity\b|\bpublic company\b|\blicen[cs]e\b",
    ),
)


_DENIED = {
    "exclusivity": pattern(
        r"\bexclusive of\b[^.;]*|\b(?:nothing (?:in|contained)|not|no|neither|nor)\b[^.;]{0,120}\bexclusiv\w*|\bnon-?\s?exclusiv\w*"
    ),
    "liquidated_damages": pattern(
        r"\bnothing (?:in|contained)\b[^.;]{0,120}\bliquidated damages\b|\bno liquidated damages\b|"
        r"\b(?:neither|not|nor)\b[^.;]{0,40}\b(?:liable for|owe|pay|entitled to|claim) (?:any )?liquidated damages\b"
    ),
}
_TOLD_BY = {
    "exclusivity": pattern(r"\bexclusiv\w*|\bsole\w*\b"),
    "liquidated_damages": pattern(r"\bliquidated damages\b"),
}


def denies(clause: Clause) -> bool:
    """Whether a clause only says that there is no such thing, or says the word in another sense (`exclusive of tax`)."""
    denied = _DENIED.get(clause.clause_type)
    if denied is None or not denied.search(clause.text):
        return False
    return not _TOLD_BY[clause.clause_type].search(denied.sub("", clause.text))


class Section(NamedTuple):
    """The sentences under one heading."""

    heading: str
    spans: tuple[tuple[int, int], ...]


def clauses(text: str, spans: Sequence[tuple[int, int]], known: Sequence[Clause] = ()) -> Iterable[Clause]:
    """The clauses of a document: a section whose heading names the type, or a run of telling sentences.

    Where a clause of the same type is `known` already, it is not told again.
    """
    for clause in _told(text, spans):
        if not any(_overlap(clause, other) for other in known if other.clause_type == clause.clause_type):
            yield clause


def _overlap(a: Clause, b: Clause) -> bool:
    return a.start < b.start + len(b.text) and b.start < a.start + len(a.text)


def _told(text: str, spans: Sequence[tuple[int, int]]) -> Iterable[Clause]:
    for section in _sections(text, spans):
        for rule in RULES:
            yield from _in_section(rule, text, section)


def _sections(text: str, spans: Sequence[tuple[int, int]]) -> Iterable[Section]:
    heading, inside = "", []
    for span in spans:
        if found := heading_of(text[span[0] : span[1]]):
            if inside:
                yield Section(heading, tuple(inside))
            heading, inside = found[1], []
        inside.append(span)
    if inside:
        yield Section(heading, tuple(inside))


def _in_section(rule: ClauseRule, text: str, section: Section) -> Iterable[Clause]:
    named = bool(rule.heading.search(section.heading))
    run: tuple[int, int] | None = None
    for start, end in section.spans:
        if not (named or _hits(rule, text[start:end])):
            continue
        if run and start - run[1] < LONGEST_QUOTE // 2:
            run = (run[0], end)
        else:
            if run:
                yield _clause(rule, text, section, run, named)
            run = (start, end)
    if run and len(text[slice(*run)]) > len(section.heading) + 15:  # a bare title says nothing
        yield _clause(rule, text, section, run, named)


def _hits(rule: ClauseRule, sentence: str) -> bool:
    if _NOT_A_CLAUSE.search(sentence):
        return False
    return bool(rule.phrase.search(sentence)) and not (rule.unless and rule.unless.search(sentence))


def _clause(rule: ClauseRule, text: str, section: Section, run: tuple[int, int], named: bool) -> Clause:
    return Clause(
        clause_type=rule.clause_type,
        text=text[run[0] : run[1]],
        heading=section.heading or None,
        start=run[0],
        confidence=0.85 if named else 0.6,
    )
