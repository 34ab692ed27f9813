"""A warehouse of made-up contracts, written straight into the files of the lake, about as compacting leaves them.

Everything follows from a contract's number by hashing, so a warehouse of a size is always the same. Ids look like
hashes, so in the files, which are sorted by `contract_id`, the nights are mixed. Pages, chunks, retrievals and table
cells are left out: no morning view or question reads them.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from schemas.playbook import load_playbooks, references
from schemas.tables import TABLE_BY_NAME, TABLES
from schemas.terms import TERMS
from warehouse.arrow import arrow_schema, arrow_table
from warehouse.catalogue import SUPERSEDED_COLUMNS, literal
from warehouse.compact import group_rows
from warehouse.manifest import LAYOUT, Manifest, write
from warehouse.parquet import write_file
from warehouse.quality import gates
from warehouse.rows import Rows
from warehouse.stage import place, staging

RUNS = 400
LAST_DAY = "2026-11-20"
SENTENCES = 60_000
COUNTERPARTIES = 50_000
OPEN_ONE_IN = 200
"""Of the flags of all but the last two nights one in so many is open; all others are decided."""
REREAD_ONE_IN = 2_000
"""Of the decisions one in so many was made on words that a later reading did not quote any more."""

_LEGAL = """agreement amendment acceptance affiliate arbitration assignment audit benefit breach capacity certificate
claim clause code commitment compensation confidential consent copy counterpart credit customer damages data dedicated
deduction default delivery discount dispute download duty effective enforce equipment exclusive execution exhibit expiry
facility fee force governing grant hardware identified indemnify information infringement inspection install instalment
insurance intellectual interest invoice jurisdiction law liability licence limitation machine maintenance material
materials merger milestone minimum negligence notice obligation order party payment penalty percent period personal
pricing prior proceeds product professional property provider purchase rack rebate receipt refund reimbursement remedy
renewal representation restriction return right royalty schedule security server service signature software statement
subcontractor subscription successor supplier support survive suspension tax term termination territory third trade
training transfer uptime usage vehicle vendor volume waiver warehouse warranty without written"""
_SMALL = "the of and to in or by for not any shall such is be under with this as on from no may if its each other which"
_ONSETS = "ba ce di fo gu ha je ki lo mu na pe qui ro sa te vi wo ya zu"
_MIDDLES = "lan mer nic por rus tal ven cor dim fel"
_CODAS = "a el ic or um ent ion ist ous ary ine ure ate ive ing ment ance able ward ness"

_TYPES = (
    "nda msa sow order_form amendment license services purchase lease reseller dpa other services purchase license msa"
)
_LAWS = "Delaware|New York|California|Texas|England and Wales|Germany|Japan|Massachusetts|Ireland|Singapore"
_TRADES = "Software Foods Logistics Health Energy Media Freight Robotics Mills Analytics Textiles Optics"
_ENDINGS = "Inc.|LLC|Corp.|Ltd.|GmbH|L.P.|S.A.|K.K."
_CURRENCIES = "USD USD USD USD USD USD EUR EUR GBP JPY"
_CLAUSES = """document_name parties agreement_date effective_date expiration_date renewal_term
notice_period_to_terminate_renewal governing_law most_favored_nation competitive_restriction_exception non_compete
exclusivity no_solicit_of_customers no_solicit_of_employees non_disparagement termination_for_convenience rofr_rofo_rofn
change_of_control anti_assignment revenue_profit_sharing price_restrictions minimum_commitment volume_restriction
ip_ownership_assignment joint_ip_ownership license_grant non_transferable_license affiliate_license_licensor
affiliate_license_licensee unlimited_all_you_can_eat_license irrevocable_or_perpetual_license source_code_escrow
post_termination_services audit_rights uncapped_liability cap_on_liability liquidated_damages warranty_duration
insurance covenant_not_to_sue third_party_beneficiary payment_terms billing fees late_fee discount price_increase refund
acceptance service_credits warranty indemnity confidentiality delivery suspension termination_for_cause
dispute_resolution order_of_precedence entire_agreement data_protection publicity"""
_TOPICS = """PRESENT DISCLOSE MATERIAL_RIGHT MODIFY TERM LICENCE ACCEPTANCE UPFRONT_FEE EXIST SERIES VARIABLE NONCASH
PRINCIPAL PROGRESS FINANCING RETURNS ALLOCATE DISTINCT PAYABLE_TO_CUSTOMER SCOPE OTHER COLLECT"""
_METRICS = "capture_class quarantined ocr_confidence pages unverified confidence flags_per_contract payment_terms_days"


def _words(text: str) -> str:
    return "[" + ", ".join(literal(word) for word in text.split()) + "]"


def _names(text: str) -> str:
    return "[" + ", ".join(literal(name) for name in text.split("|")) + "]"


_SET_UP = f"""
CREATE MACRO pick(i, salt, n) AS (hash(i, salt) % n)::INTEGER;
CREATE MACRO made_id(prefix, i, salt) AS prefix || md5(salt || i)[:16];
CREATE MACRO chosen(words, i, salt) AS words[1 + pick(i, salt, len(words))];
CREATE MACRO company(k) AS 'Company' || chr(65 + k % 26) || (k // 26) || ' ' || chosen({_words(_TRADES)}, k, 'trade')
    || ' ' || chosen({_names(_ENDINGS)}, k, 'ending');
CREATE TABLE words AS
    SELECT unnest({_words(_LEGAL)}) AS word
    UNION ALL SELECT unnest({_words(_SMALL)}) FROM range(12)
    UNION ALL SELECT a || b || c FROM (SELECT unnest({_words(_ONSETS)}) AS a), (SELECT unnest({_words(_MIDDLES)}) AS b),
        (SELECT unnest({_words(_CODAS)}) AS c);
SET VARIABLE vocabulary = (SELECT list(word ORDER BY hash(word)) FROM words);
CREATE TABLE spoken AS SELECT i, list_aggregate(list_transform(range(6),
    lambda k: chosen(getvariable('vocabulary'), i * 6 + k, 'word')), 'string_agg', ' ') AS phrase
    FROM range(60000) t (i);
CREATE TABLE sentences AS SELECT i, list_aggregate(list_transform(range(20),
    lambda k: chosen(getvariable('vocabulary'), i * 20 + k, 'of sentence')), 'string_agg', ' ') AS said
    FROM range({SENTENCES}) t (i);
SET VARIABLE phrases = (SELECT list(phrase ORDER BY i) FROM spoken);
CREATE MACRO said(i, salt, n) AS list_aggregate(list_transform(range(n),
    lambda k: chosen(getvariable('phrases'), i * 16 + k, salt)), 'string_agg', ' ');
SET VARIABLE weekdays = (
    SELECT list(day::DATE ORDER BY day)
    FROM generate_series(DATE '{LAST_DAY}' - 729, DATE '{LAST_DAY}', INTERVAL 1 DAY) t (day) WHERE isodow(day) < 6);
CREATE MACRO night(k) AS
    getvariable('weekdays')[least(k, {RUNS}) * len(getvariable('weekdays')) // {RUNS}]
    + greatest(0, k - {RUNS})::INTEGER;
CREATE MACRO run_name(k) AS strftime(night(k), '%Y%m%dT020000') || '-' || printf('%06x', k);
"""

_CHILD_OF = "CASE i % 20 WHEN 1 THEN 1 WHEN 2 THEN 2 WHEN 4 THEN 1 WHEN 6 THEN 1 ELSE 0 END"
"""How far before a child its root stands: of twenty contracts seven are in three families."""

_BASE = f"""
CREATE TABLE base AS
WITH numbered AS (
    SELECT i, ({_CHILD_OF}) AS back,
        CASE WHEN i >= $held AND back > 0 AND pick(i, 'old', 4) = 0 THEN (pick(i, 'root', $held) // 20) * 20
            ELSE i - back END AS root,
        i % 20 IN (0, 3, 5) AS is_root
    FROM range($first, $last) t (i)
),
sided AS (
    SELECT *, made_id('c_', i, 'contract') AS contract_id, made_id('d_', i, 'document') AS document_id,
        made_id('c_', root, 'contract') AS family_id, made_id('d_', root, 'document') AS root_document_id,
        CASE WHEN back = 0 THEN 'root' WHEN i % 20 IN (1, 4) THEN 'under'
            ELSE chosen(['amends', 'amends', 'amends', 'renews', 'restates'], i, 'relation') END AS relation,
        company(pick(root, 'counterparty', {COUNTERPARTIES})) AS counterparty,
        CASE WHEN pick(root, 'role', 100) < 60 THEN 'seller' WHEN pick(root, 'role', 100) < 95 THEN 'buyer'
            ELSE 'mutual' END AS our_role,
        CASE WHEN i >= $held THEN {RUNS} + 1 ELSE 1 + i * {RUNS} // $held END AS first_run,
        i < $held AND pick(i, 'again', 100) = 0 AND first_run < {RUNS} AS is_again
    FROM numbered
),
dated AS (
    SELECT *,
        CASE WHEN NOT is_again THEN first_run WHEN pick(i, 'lately', 200) = 0 THEN {RUNS}
            ELSE first_run + 1 + pick(i, 'later', {RUNS} - first_run) END AS run,
        DATE '2016-11-20' + pick(root, 'dated', 3600)::INTEGER + back * 40 AS agreement_date,
        [12, 12, 24, 36, 36, 60][1 + pick(i, 'months', 6)] AS months,
        CASE WHEN back > 0 AND i % 20 NOT IN (1, 4) THEN 'amendment' WHEN i % 20 = 1 THEN 'order_form'
            WHEN i % 20 = 4 THEN 'sow' WHEN is_root THEN 'msa' ELSE chosen({_words(_TYPES)}, i, 'type') END
            AS contract_type,
        round(exp(8 + pick(i, 'value', 70) / 10)) * 10 AS yearly
    FROM sided
),
termed AS (
    SELECT *,
        upper(contract_type[1]) || contract_type[2:] || ' Agreement No. ' || (i % 9000) AS title,
        agreement_date + pick(i, 'signed', 20)::INTEGER AS signed_date,
        CASE WHEN pick(i, 'has effective', 100) < 90 THEN (agreement_date + pick(i, 'effective', 30)::INTEGER) END
            AS effective_date,
        CASE WHEN pick(i, 'has end', 100) < 85
            THEN (coalesce(effective_date, agreement_date) + to_months(months))::DATE - 1 END AS expiration_date,
        CASE WHEN expiration_date IS NOT NULL THEN months::DOUBLE END AS initial_term_months,
        chosen(['auto', 'auto', 'auto', 'optional', 'none', 'none', 'evergreen'], i, 'renews') AS renewal_type,
        CASE WHEN renewal_type IN ('auto', 'optional') THEN 12.0::DOUBLE END AS renewal_term_months,
        CASE WHEN renewal_type = 'auto' THEN chosen([30, 60, 90, 90, 180], i, 'notice') END AS renewal_notice_days,
        chosen(['none', 'none', 'none', 'either', 'customer', 'provider'], i, 'convenience')
            AS termination_for_convenience,
        CASE WHEN termination_for_convenience <> 'none' THEN chosen([30, 60, 90], i, 'leaves') END
            AS termination_notice_days,
        CASE WHEN pick(i, 'has currency', 100) < 85 THEN chosen({_words(_CURRENCIES)}, root, 'currency') END
            AS currency,
        CASE WHEN currency IS NOT NULL AND pick(i, 'has value', 100) < 90 THEN yearly::DECIMAL(18, 2) END
            AS annual_value,
        (annual_value * months / 12)::DECIMAL(18, 2) AS total_value,
        chosen(['one_time', 'monthly', 'quarterly', 'annual', 'annual', 'milestone', 'usage'], i, 'billed')
            AS billing_frequency,
        chosen(['none', 'capped', 'capped', 'uncapped', 'index'], i, 'rises') AS price_increase_type,
        chosen(['amount', 'fees_multiple', 'fees_multiple', 'uncapped', 'none'], i, 'cap') AS liability_cap_type,
        CASE WHEN pick(i, 'commits', 100) < 12 AND annual_value IS NOT NULL THEN (annual_value // 2)::DECIMAL(18, 2) END
            AS minimum_commitment
    FROM dated
)
SELECT *,
    (expiration_date - renewal_notice_days)::DATE AS notice_deadline,
    expiration_date AS current_period_end,
    CASE WHEN termination_for_convenience IN ('customer', 'either')
        THEN least(expiration_date, (agreement_date + termination_notice_days)::DATE) ELSE expiration_date END
        AS accounting_term_end,
    CASE WHEN pick(i, 'fee of leaving', 100) < 10 THEN 'the fees of three months' END AS termination_fee,
    CASE WHEN pick(i, 'has law', 100) < 92 THEN chosen({_names(_LAWS)}, root, 'law') END AS governing_law,
    CASE WHEN total_value IS NOT NULL THEN
        CASE WHEN minimum_commitment IS NOT NULL THEN 'fixed_plus_minimum' ELSE 'fixed' END
        WHEN pick(i, 'rates', 10) = 0 THEN 'rates_only' END AS total_value_basis,
    CASE WHEN pick(i, 'has days', 100) < 85
        THEN chosen([30, 30, 30, 45, 45, 60, 60, 60, 90, 120], i, 'days') END AS payment_terms_days,
    CASE WHEN pick(i, 'has timing', 100) < 70 THEN chosen(['advance', 'arrears'], i, 'timing') END AS billing_timing,
    CASE WHEN pick(i, 'has late fee', 100) < 45 THEN chosen([0.5, 1.0, 1.5], i, 'late')::DOUBLE END
        AS late_fee_percent_per_month,
    CASE WHEN price_increase_type = 'capped' THEN chosen([2.0, 3.0, 5.0, 7.0, 10.0], i, 'rise')::DOUBLE END
        AS price_increase_cap_percent,
    CASE WHEN liability_cap_type = 'amount' THEN (pick(i, 'cap of', 40) * 100000 + 100000)::DECIMAL(18, 2) END
        AS liability_cap_amount,
    CASE WHEN liability_cap_type = 'fees_multiple' THEN chosen([12, 12, 24, 48], i, 'cap months')::DOUBLE END
        AS liability_cap_months,
    CASE WHEN liability_cap_type = 'fees_multiple' THEN 'paid; lookback' END AS liability_cap_basis,
    CASE WHEN minimum_commitment IS NOT NULL THEN 'annual' END AS minimum_commitment_period,
    CASE WHEN pick(i, 'seen signed', 100) < 95 THEN pick(i, 'executed', 100) < 94 END AS fully_executed,
    [{{'name': 'Northwind Analytics, Inc.', 'role': NULL::VARCHAR}}, {{'name': counterparty, 'role': NULL}},
        {{'name': company(pick(i, 'guarantor', {COUNTERPARTIES})), 'role': 'guarantor'}}] AS parties,
    'Northwind Analytics, Inc.' AS our_entity,
    CASE WHEN pick(i, 'language', 100) < 96 THEN 'en' ELSE 'ja' END AS language,
    CASE WHEN pick(i, 'capture', 100) < 80 THEN 'digital' WHEN pick(i, 'capture', 100) < 97 THEN 'scan'
        WHEN pick(i, 'capture', 100) < 99 THEN 'photo' ELSE 'mixed' END AS capture_class,
    2 + pick(i, 'pages', 20) AS page_count,
    CASE WHEN is_again THEN 2 ELSE 1 END AS version,
    'landed' AS status,
    run_name(run) AS run_id,
    night(run) + INTERVAL 2 HOUR + to_seconds(pick(i, 'second', 5000)) AS ingested_at,
    'playbook-1' AS playbook_version,
    made_id('', i, 'work')[:12] AS work_key,
    CASE WHEN is_root THEN ['N-' || i] ELSE [] END::VARCHAR[] AS numbers,
    [lower(counterparty.split(' ')[1] || ' ' || counterparty.split(' ')[2])] AS other_parties
FROM termed
ORDER BY contract_id
"""
_FORMER = """
CREATE TABLE former AS
SELECT * REPLACE (1 AS version, first_run AS run, run_name(first_run) AS run_id,
    night(first_run) + INTERVAL 2 HOUR AS ingested_at, (total_value * 0.9)::DECIMAL(18, 2) AS total_value,
    payment_terms_days + 15 AS payment_terms_days)
FROM base WHERE is_again
"""

_BOX = "72.0 AS x0, 100.0 + place % 600 AS y0, 540.0 AS x1, 112.0 + place % 600 AS y1"
_TERM_VALUES = {
    "text": "{0}::VARCHAR, NULL::DATE, NULL::DOUBLE",
    "choice": "{0}::VARCHAR, NULL, NULL",
    "date": "{0}::VARCHAR, {0}, NULL",
    "number": "{0}::VARCHAR, NULL, {0}",
    "days": "{0}::VARCHAR, NULL, {0}",
    "money": "{0}::VARCHAR, NULL, {0}::DOUBLE",
    "flag": "{0}::VARCHAR, NULL, NULL",
}


def _term_structs() -> str:
    made = []
    for spec in TERMS:
        columns = [f"parties[{n}].name" for n in (1, 2, 3)] if spec.type == "parties" else [spec.name]
        kind = _TERM_VALUES.get(spec.type, _TERM_VALUES["text"])
        for ordinal, column in enumerate(columns):
            values = kind.format(column)
            made.append(f"row({literal(spec.name)}, {ordinal}, {literal(spec.unit or '')}, {spec.derived}, {values})")
    return "[" + ", ".join(made) + "]"


_TERMS_SQL = f"""
WITH each AS (
    SELECT i, contract_id, document_id, page_count, run_id, version,
        unnest({_term_structs()}::STRUCT(term VARCHAR, ordinal INTEGER, unit VARCHAR, derived BOOLEAN, value VARCHAR,
            value_date DATE, value_number DOUBLE)[], max_depth := 2)
    FROM {{base}}
),
placed AS (
    SELECT e.*, pick(i, term || ordinal, 1000000) AS place, pick(i, 'said of ' || term, {SENTENCES}) AS sentence,
        CASE WHEN derived THEN 'derived' WHEN place % 100 = 0 THEN 'unverified' ELSE 'verified' END AS proof
    FROM each e
)
SELECT made_id('t_', contract_id || term, ordinal) AS term_id, contract_id, term, value, value_date, value_number,
    CASE WHEN value IS NOT NULL THEN nullif(unit, '') END AS unit,
    CASE WHEN value IS NULL THEN CASE WHEN place % 10 = 0 THEN 'not_applicable' ELSE 'not_found' END END AS absence,
    CASE WHEN value IS NOT NULL THEN
        (place % 20) || '.' || (place % 9) || ' ' || s.said[:90] || ' ' || value || '.' END AS quote,
    document_id, CASE WHEN value IS NOT NULL THEN 1 + place % page_count END AS page_number, {_BOX},
    place % 20000 AS char_start, place % 20000 + 100 AS char_end,
    CASE WHEN value IS NOT NULL THEN proof END AS evidence,
    CASE WHEN value IS NULL THEN 0.0 ELSE 0.6 + (place % 40) / 100 END AS confidence, 'embedded' AS extractor,
    'embedded-1' AS model, NULL AS prompt_version, run_id,
    CASE WHEN value IS NOT NULL THEN CASE proof WHEN 'unverified' THEN 0.4 ELSE 1.0 END END AS match_score,
    CASE WHEN place % 40 >= 20 THEN 'accept' ELSE 'look_first' END AS route, version
FROM placed
JOIN sentences s ON s.i = placed.sentence
"""

_FLAGS_SQL = f"""
WITH each AS (
    SELECT i, contract_id, document_id, page_count, run_id, version, unnest(range(pick(i, 'flags', 5))) AS nth
    FROM {{base}}
),
ruled AS (
    SELECT *, getvariable('rules')[1 + (pick(i, 'rule', 1000) + 7 * nth) % len(getvariable('rules'))] AS rule,
        pick(i * 8 + nth, 'flag', 1000000)::INTEGER AS place
    FROM each
)
SELECT made_id('f_', contract_id || rule.id, 0) AS flag_id, contract_id, rule.id AS rule_id,
    ['critical', 'high', 'high', 'medium', 'medium', 'medium', 'medium', 'low', 'low', 'low'][1 + place % 10]
        AS severity, rule.clause AS clause_type, said(place, 'found', 1) || ' ' || place % 90 AS found,
    rule.standard AS standard, rule.title || ': ' || said(place, 'reason', 3) || '.' AS reason, rule.refs AS refs,
    said(place, 'flag', 3) || '.' AS quote, document_id, 1 + place % page_count AS page_number, {_BOX},
    'verified' AS evidence, 0.5 + (place % 50) / 100 AS confidence, '1' AS rule_version, 'proposed' AS status, run_id,
    version
FROM ruled
"""

_SQL = {
    "documents": """
        SELECT document_id, contract_id, 'inbox/' || (i // 1000) || '/' || i || '.pdf' AS source_uri,
            i || ' ' || counterparty || '.pdf' AS file_name, sha256(contract_id) AS sha256,
            'application/pdf' AS media_type, capture_class, page_count, language,
            CASE WHEN capture_class <> 'digital' THEN 0.85 + pick(i, 'ocr', 15) / 100 END AS ocr_confidence, status,
            NULL AS duplicate_of, NULL AS error_code, NULL AS error_message, run_id, ingested_at, work_key,
            pick(i, 'seconds', 400) / 100 AS seconds,
            CASE WHEN pick(i, 'similar', 500) = 0 THEN [made_id('d_', i - 1, 'document')] ELSE [] END::VARCHAR[]
                AS similar_to, []::VARCHAR[] AS warnings,
            list_transform(range(64), lambda k: pick(i * 64 + k, 'likeness', 8388608)::BIGINT) AS likeness
        FROM {base}
        UNION ALL BY NAME
        SELECT made_id('d_', i, 'copy') AS document_id, contract_id, 'inbox/copies/' || i || '.pdf' AS source_uri,
            'copy of ' || i || '.pdf' AS file_name, sha256(contract_id) AS sha256, 'application/pdf' AS media_type,
            CASE WHEN i % 2 = 0 THEN capture_class END AS capture_class,
            CASE WHEN i % 2 = 0 THEN 'duplicate' ELSE 'quarantined' END AS status,
            CASE WHEN i % 2 = 0 THEN document_id END AS duplicate_of,
            CASE WHEN i % 2 = 1 THEN chosen(['encrypted', 'damaged', 'too_large', 'timeout'], i, 'error') END
                AS error_code,
            CASE WHEN i % 2 = 1 THEN 'It could not be read.' END AS error_message, run_id, ingested_at, work_key,
            []::VARCHAR[] AS similar_to, []::VARCHAR[] AS warnings
        FROM {base} WHERE version = 1 AND i < $held AND pick(i, 'copy', 160) = 0""",
    "edit_marks": """
        SELECT document_id, 1 + nth AS page_number,
            chosen(['strikethrough', 'insertion', 'handwriting', 'highlight'], i * 4 + nth, 'mark') AS kind,
            said(i + nth, 'marked', 1) AS text, 72.0 AS x0, 100.0 AS y0, 300.0 AS x1, 112.0 AS y1, 0.9 AS confidence,
            'pen' AS source, run_id
        FROM (SELECT *, unnest(range(1 + pick(i, 'marks', 3))) AS nth FROM {base} WHERE pick(i, 'marked', 50) = 0)""",
    "contracts": "SELECT * FROM {base}",
    "terms": _TERMS_SQL,
    "clauses": f"""
        SELECT contract_id,
            clause_types[1 + (pick(o.i, 'clause', 1000) + 11 * nth) % len(clause_types)] AS clause_type,
            (nth + 1) || '.1 ' || a.said || ' ' || b.said || ' ' || c.said || '.' AS text,
            (nth + 1) || ' ' || split_part(b.said, ' ', 3) || ' ' || split_part(a.said, ' ', 5) AS heading, document_id,
            1 + nth % page_count AS page_number, 1 + nth % page_count AS page_end,
            72.0 AS x0, 100.0 AS y0, 540.0 AS x1, 160.0 AS y1, (nth * 400)::INTEGER AS char_start,
            (nth * 400 + 390)::INTEGER AS char_end, 0.7 AS confidence, 'embedded' AS extractor, run_id, version
        FROM (SELECT *, unnest(range(5)) AS nth, {_words(_CLAUSES)} AS clause_types FROM {{base}}) o
        JOIN sentences a ON a.i = pick(o.i * 8 + nth, 'first', {SENTENCES})
        JOIN sentences b ON b.i = pick(o.i * 8 + nth, 'second', {SENTENCES})
        JOIN sentences c ON c.i = pick(o.i * 8 + nth, 'third', {SENTENCES})""",
    "flags": _FLAGS_SQL,
    "asc606": """
        SELECT made_id('a_', contract_id || topic, 0) AS asc606_id, contract_id, topic,
            'Proposed - ' || said(i * 4 + nth, 'proposal', 1) || '. To be confirmed.' AS proposal,
            said(i * 4 + nth, 'why', 3) || '.' AS reason, ['606-10-25-' || nth, '606-10-32-' || i % 20] AS paragraphs,
            said(i * 4 + nth, 'topic', 2) || '.' AS quote, document_id, (1 + nth % page_count)::INTEGER AS page_number,
            'proposed' AS status, 'reference-1' AS reference_version, run_id, version
        FROM (
            SELECT *, replace(topics[1 + (pick(i, 'topic', 1000) + 5 * nth) % len(topics)], '_', ' ') AS topic
            FROM (
                SELECT *, unnest(range(2 + pick(i, 'topics', 3))) AS nth, TOPICS AS topics
                FROM {base} WHERE our_role = 'seller' AND contract_type NOT IN ('nda', 'dpa')
            )
        )""".replace("TOPICS", _words(_TOPICS)),
    "fee_lines": """
        SELECT contract_id, (nth + 1)::INTEGER AS line, said(i * 2 + nth, 'item', 1) AS item, 1.0 AS quantity,
            (annual_value / 2)::DECIMAL(18, 2) AS unit_price, currency, billing_frequency AS frequency,
            coalesce(effective_date, agreement_date) AS start_date, expiration_date AS end_date,
            (annual_value / 2)::DECIMAL(18, 2) AS amount, said(i * 2 + nth, 'fee', 2) AS quote, document_id,
            2 AS page_number, run_id, version
        FROM (SELECT *, unnest(range(2)) AS nth FROM {base}
            WHERE annual_value IS NOT NULL
                AND contract_type IN ('order_form', 'sow', 'services', 'license', 'purchase'))""",
    "billing_schedule": """
        SELECT contract_id, (coalesce(effective_date, agreement_date) + to_months(12 * nth::INTEGER))::DATE AS due_date,
            CASE WHEN nth + 1 = months // 12 THEN total_value - nth * (total_value // (months // 12))
                ELSE total_value // (months // 12) END::DECIMAL(18, 2) AS amount, currency,
            'annual in advance' AS basis, run_id, version
        FROM (SELECT *, unnest(range(months // 12)) AS nth FROM {base}
            WHERE total_value IS NOT NULL AND billing_frequency <> 'usage')""",
    "obligations": """
        SELECT contract_id, chosen([counterparty, 'Northwind Analytics, Inc.'], i, 'party') AS party,
            said(i * 4 + nth, 'duty', 1) AS obligation, agreement_date + (nth * 90)::INTEGER AS due_date,
            'after ' || nth * 90 || ' days' AS due_rule, said(i * 4 + nth, 'duty said', 2) AS quote,
            (1 + nth)::INTEGER AS page_number, run_id, version
        FROM (SELECT *, unnest(range(2)) AS nth FROM {base})""",
    "document_references": """
        SELECT contract_id, 1 AS reference, relation, 'Master Agreement' AS title, 'N-' || root AS number,
            'Master Agreement N-' || root AS quote, document_id, 1 AS page_number, run_id, version, 72.0 AS x0,
            100.0 AS y0, 300.0 AS x1, 112.0 AS y1
        FROM {base} WHERE back > 0""",
    "amendment_effects": """
        SELECT contract_id, 1 AS effect_number, 'replaces' AS effect, '4.1' AS section,
            ['payment_terms_days', 'annual_value'] AS terms, said(i, 'effect', 2) AS quote, document_id,
            1 AS page_number, run_id, version
        FROM {base} WHERE contract_type = 'amendment'""",
}
"""What each table holds of the contracts of a relation, in the relation's order."""

_FAMILY_SQL = {
    "family_members": """
        SELECT family_id, contract_id, CASE WHEN back > 0 THEN family_id END AS parent_contract_id, relation,
            CASE WHEN back > 0 THEN 0.95 END AS confidence,
            CASE WHEN back > 0 THEN 'Master Agreement N-' || root END AS quote, document_id,
            CASE WHEN back > 0 THEN 1 END AS page_number, coalesce(effective_date, agreement_date) AS effective_from,
            run_id
        FROM base WHERE is_root OR back > 0
        ORDER BY contract_id""",
    "family_terms": """
        WITH changed AS (SELECT family_id, max_by(contract_id, i) AS by_contract, max_by(document_id, i) AS by_document,
                max(coalesce(effective_date, agreement_date)) AS since
            FROM base WHERE relation IN ('amends', 'renews', 'restates') GROUP BY family_id)
        SELECT t.contract_id AS family_id, t.contract_id, t.term, t.value, t.value_date, t.value_number, t.unit,
            CASE WHEN is_set THEN c.by_contract ELSE t.contract_id END AS set_by_contract_id,
            CASE WHEN is_set THEN c.by_document ELSE t.document_id END AS set_by_document_id, t.quote, t.page_number,
            CASE WHEN is_set THEN c.since ELSE coalesce(r.effective_date, r.agreement_date) END AS effective_from,
            t.evidence, t.run_id
        FROM (SELECT *, term IN ('payment_terms_days', 'annual_value', 'total_value') AS named
            FROM read_parquet({terms}) WHERE absence IS NULL) t
        JOIN (FROM base WHERE is_root) r ON r.contract_id = t.contract_id
        LEFT JOIN changed c ON c.family_id = t.contract_id
        CROSS JOIN LATERAL (SELECT named AND c.family_id IS NOT NULL AS is_set)
        ORDER BY t.contract_id""",
}

_REVIEWS_SQL = f"""
WITH decided AS (
    SELECT 'flag' AS target, flag_id AS target_id, contract_id, found AS old_value, quote, run_id
    FROM read_parquet({{flags}})
    WHERE run_id NOT IN (run_name({RUNS}), run_name({RUNS - 1})) AND pick(flag_id, 'open', {OPEN_ONE_IN}) > 0
    UNION ALL
    SELECT 'term', term_id, contract_id, value, quote, run_id FROM read_parquet({{terms}})
    WHERE value IS NOT NULL AND pick(term_id, 'looked at', 250) = 0
    UNION ALL
    SELECT 'asc606', asc606_id, contract_id, proposal, quote, run_id FROM read_parquet({{asc606}})
    WHERE pick(asc606_id, 'concluded', 10) = 0
),
made AS (
    SELECT *, hash(target_id) % 100 AS luck, strptime(run_id[:15], '%Y%m%dT%H%M%S')::DATE AS since FROM decided
)
SELECT made_id('v_', target_id, 'review') AS review_id, contract_id, target, target_id,
    CASE WHEN luck < 80 THEN 'confirmed' WHEN luck < 90 THEN 'rejected' WHEN luck < 96 THEN 'overridden'
        ELSE 'not_applicable' END AS decision, old_value,
    CASE WHEN luck >= 90 AND luck < 96 THEN old_value || '0' END AS new_value,
    CASE WHEN luck >= 90 AND luck < 96 THEN 'wrong_value' END AS reason_code, NULL AS comment,
    'reviewer ' || pick(contract_id, 'reviewer', 12) AS reviewer,
    least(since + (1 + pick(target_id, 'when', 30)), DATE '{LAST_DAY}') + INTERVAL 10 HOUR AS decided_at,
    -- As warehouse.decisions makes it; one in so many was made on another quotation.
    sha256(
        '[' || CASE WHEN pick(target_id, 'reread', {REREAD_ONE_IN}) = 0 THEN '""' ELSE to_json(quote)::VARCHAR END
        || ', ' || to_json(old_value)::VARCHAR || ']'
    ) AS evidence_hash
FROM made
ORDER BY contract_id
"""

_RUN_SQL = {
    "runs": """
        WITH counted AS (SELECT run, count(*) AS n, sum(page_count) AS pages FROM base GROUP BY run)
        SELECT run_name(run) AS run_id, night(run) AS business_date, night(run) + INTERVAL 2 HOUR AS started_at,
            night(run) + INTERVAL 5 HOUR AS finished_at, n AS documents, n AS contracts, 2 * n AS flags,
            0 AS quarantined, pages, 10800.0 AS seconds, 0 AS tokens_in, 0 AS tokens_out, 0.0 AS cost_usd,
            'embedded' AS extractor, '0.1.0' AS code_version, 'playbook-1' AS playbook_version, 0 AS duplicates,
            'inbox' AS inbox, 'schedule' AS trigger, run AS number, n AS found, 0 AS unchanged
        FROM counted ORDER BY run""",
    "run_metrics": f"""
        SELECT run_name(run) AS run_id, metric, part, 0.5 + pick(run, metric || part, 50) / 1000 AS value,
            1000 AS counted
        FROM range(1, {RUNS} + 1) t (run), (
            SELECT unnest({_words(_METRICS)}) AS metric, NULL AS part
            UNION ALL SELECT 'absent', unnest({_words(" ".join(t.name for t in TERMS))})
        )""",
    "gate_results": f"""
        SELECT run_name(run) AS run_id, gate, gate AS checks, 'error' AS level, 0 AS found, '' AS examples
        FROM range(1, {RUNS} + 1) t (run), (SELECT unnest({_words(" ".join(g.name for g in gates()))}) AS gate)""",
}

_HEADS_SQL = """
WITH latest AS (
    SELECT 'document' AS kind, document_id AS id, run_id, NULL::VARCHAR AS pages_run_id, NULL::INTEGER AS version,
        status, contract_id, document_id, work_key, error_code, duplicate_of, source_uri
    FROM read_parquet({documents})
    UNION ALL BY NAME
    SELECT 'contract' AS kind, contract_id AS id, run_id, version, status, contract_id, document_id, work_key FROM base
    UNION ALL BY NAME
    SELECT DISTINCT 'family' AS kind, family_id AS id, run_id FROM read_parquet({family_members})
    WHERE relation = 'root'
)
SELECT * FROM latest ORDER BY ALL
"""
_SUPERSEDED_SQL = """
SELECT unnest(['document', 'contract']) AS kind, unnest([f.document_id, f.contract_id]) AS id, f.run_id,
    b.run AS by_number, NULL::BIGINT AS until
FROM former f JOIN base b USING (contract_id)
"""


class Made(NamedTuple):
    """The rows of each table, and the bytes of its latest rows' files."""

    rows: dict[str, int]
    bytes: dict[str, int]


def connection(held: int, first: int, last: int) -> duckdb.DuckDBPyConnection:
    """A connection with the contracts from `first` up to `last` in `base`, in a warehouse that holds `held` of them."""
    con = duckdb.connect(":memory:")
    con.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")  # so rows stay in the order of `base`
    con.execute(_SET_UP)
    rules = [
        {"id": r.id, "clause": r.clause, "standard": r.standard, "title": r.title, "refs": [r.section]}
        for r in load_playbooks().library.values()
    ]
    con.execute("SET VARIABLE rules = $rules", {"rules": rules})
    con.execute(_BASE, {"held": held, "first": first, "last": last})
    return con


def fill(root: Path, contracts: int) -> Made:
    """Write a warehouse of so many contracts into an empty folder, all but its catalogue."""
    con = connection(contracts, 0, contracts)
    con.execute(_FORMER)
    try:
        with staging(root, "made", 60) as stage:
            con.execute(f"SET temp_directory = {literal(stage / 'spill')}")
            writer = _Writer(con, root, stage, contracts)
            manifest = writer.manifest()
            write(root, manifest)
        return Made(writer.rows, {n: sum((root / f).stat().st_size for f in fs) for n, fs in manifest.files.items()})
    finally:
        con.close()


class _Writer:
    """Writes table after table into a stage and puts each file in its place."""

    def __init__(self, con: duckdb.DuckDBPyConnection, root: Path, stage: Path, held: int):
        self._con, self._root, self._stage, self._held = con, root, stage, held
        self._files: dict[str, tuple[str, ...]] = {}
        self.rows: dict[str, int] = {}

    def manifest(self) -> Manifest:
        """The state with all files written."""
        retired = {}
        for name, sql in _SQL.items():
            self._of_contracts(name, sql, "base")
            if name != "edit_marks":
                retired[name] = (self._copied(name, sql.replace("{base}", "former"), f"{name}-former"),)
        for name, sql in (_FAMILY_SQL | {"reviews": _REVIEWS_SQL} | _RUN_SQL).items():
            self._add(name, sql.format(**self._sources()))
        self._add_references()
        heads = self._copied("heads", _HEADS_SQL.format(**self._sources()))
        empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in SUPERSEDED_COLUMNS.items())
        return Manifest(
            layout=LAYOUT,
            number=RUNS + 1,
            run_id="compact-made",
            previous=None,
            created_at=datetime.now(UTC),
            run={},
            files=self._files,
            columns={table.name: tuple(table.columns) for table in TABLES},
            mixed=(),
            heads=(heads,),
            superseded=(self._copied("superseded", f"SELECT {empty} WHERE false"),),
            superseded_before=(self._copied("superseded", _SUPERSEDED_SQL),),
            retired=retired,
            rows={},
            first=RUNS + 1,
        )

    def _sources(self) -> dict[str, str]:
        return {name: literal(self._root / files[0]) for name, files in self._files.items()} | {"base": "base"}

    def _of_contracts(self, name: str, sql: str, base: str) -> None:
        self._add(name, sql.replace("{base}", base))

    def _add(self, name: str, sql: str) -> None:
        self._files[name] = (self._copied(name, sql),)

    def _add_references(self) -> None:
        table = TABLE_BY_NAME["evidence_refs"]
        given = [reference.model_dump() for _, reference in sorted(references().items())]
        path = self._stage / "evidence_refs.parquet"
        write_file(path, arrow_table(table.name, arrow_schema(table), given))
        self._files[table.name] = (place(self._root, "made", path, table.name),)

    def _copied(self, name: str, sql: str, staged: str | None = None) -> str:
        """What a query gives, with a table's columns, in a file of the lake; those that it lacks are null."""
        path = self._stage / f"{staged or name}.parquet"
        size = group_rows(name)
        options = f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {size})"
        given = {"held": self._held} if "$held" in sql else {}
        if name in TABLE_BY_NAME:
            sql = fitted(self._con, name, sql, given)
        count = self._con.execute(f"COPY ({sql}) TO {literal(path)} {options}", given).fetchall()[0][0]
        self.rows[staged or name] = count
        return place(self._root, "made", path, name)


def fitted(con: duckdb.DuckDBPyConnection, name: str, sql: str, given: dict[str, int]) -> str:
    """The query with exactly the table's columns and their types."""
    has = {row[0] for row in con.execute(f"DESCRIBE {sql}", given).fetchall()}
    columns = TABLE_BY_NAME[name].columns.items()
    chosen = (f'{column if column in has else "NULL"}::{kind} AS "{column}"' for column, kind in columns)
    return f"SELECT {', '.join(chosen)} FROM ({sql})"


def night_rows(held: int, contracts: int, batch: int = 20) -> Iterator[Rows]:
    """The rows of so many new contracts beside those held, as reading them would give, a few contracts at a time."""
    con = connection(held, held, held + contracts)
    try:
        for name, sql in _SQL.items():
            made = fitted(con, name, sql.replace("{base}", "base"), {"held": held} if "$held" in sql else {})
            con.execute(f"CREATE TABLE t_{name} AS {made}", {"held": held} if "$held" in made else {})
        ids = con.execute("SELECT contract_id, document_id FROM base").fetchall()
        for at in range(0, len(ids), batch):
            yield _batch(con, ids[at : at + batch])
    finally:
        con.close()


def _batch(con: duckdb.DuckDBPyConnection, ids: Sequence[tuple[str, str]]) -> Rows:
    rows: Rows = {}
    for name in _SQL:
        key = "document_id" if TABLE_BY_NAME[name].level == "document" else "contract_id"
        wanted = [document if key == "document_id" else contract for contract, document in ids]
        found = con.execute(f"SELECT * FROM t_{name} WHERE {key} IN (SELECT unnest($ids))", {"ids": wanted})
        names = [column[0] for column in found.description]
        rows[name] = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    rows["pages"] = _pages(rows)
    return rows


def _pages(rows: Rows) -> list[dict]:
    """Pages that hold the words which are quoted from them."""
    texts: dict[tuple[str, int], list[str]] = {}
    for name in ("terms", "flags", "asc606"):
        for row in rows[name]:
            if row["quote"]:
                texts.setdefault((row["document_id"], row["page_number"]), []).append(row["quote"])
    run_of = {row["document_id"]: row["run_id"] for row in rows["documents"]}
    same = {"width": 612.0, "height": 792.0, "source": "native", "rotation": 0, "warnings": [], "language": "en"}
    return [
        same | {"document_id": id, "page_number": page, "text": "\n".join(said), "run_id": run_of[id]}
        for (id, page), said in texts.items()
    ]
