"""The tables of the warehouse: names, columns and DuckDB types. Their shape is a promise to readers.

Every table is complete from the first run on, empty where nothing fills it yet. Columns may be added at the
end; none is renamed or removed.
"""

from typing import Literal

from schemas.base import Frozen
from schemas.terms import TERMS, TermType

Level = Literal["document", "contract", "family", "run", "reference", "review"]

_CONTRACT_TYPES: dict[TermType, str] = {
    "text": "VARCHAR",
    "choice": "VARCHAR",
    "date": "DATE",
    "number": "DOUBLE",
    "days": "INTEGER",
    "money": "DECIMAL(18,2)",
    "parties": "STRUCT(name VARCHAR, role VARCHAR)[]",
    "flag": "BOOLEAN",
}


class Table(Frozen):
    """A table. `level` says what its latest version hangs on: the newest run of the row's document or
    contract or family, or nothing (`run`, `reference`, `review`: every row counts)."""

    name: str
    level: Level
    columns: dict[str, str]


def _table(name: str, level: Level, columns: str, **more: str) -> Table:
    pairs = (item.split(None, 1) for item in columns.replace("\n", " ").split("|") if item.strip())
    return Table(name=name, level=level, columns={key: kind.strip() for key, kind in pairs} | more)


_BOX = "x0 DOUBLE | y0 DOUBLE | x1 DOUBLE | y1 DOUBLE"
_MONEY = "DECIMAL(18,2)"

TABLES: tuple[Table, ...] = (
    _table(
        "documents",
        "document",
        """document_id VARCHAR | contract_id VARCHAR | source_uri VARCHAR | file_name VARCHAR | sha256 VARCHAR
        | media_type VARCHAR | capture_class VARCHAR | page_count INTEGER | language VARCHAR
        | ocr_confidence DOUBLE | status VARCHAR | duplicate_of VARCHAR | error_code VARCHAR
        | error_message VARCHAR | run_id VARCHAR | ingested_at TIMESTAMP | work_key VARCHAR
        | seconds DOUBLE | similar_to VARCHAR[] | warnings VARCHAR[] | likeness BIGINT[]""",
    ),
    _table(
        "pages",
        "document",
        """document_id VARCHAR | page_number INTEGER | width DOUBLE | height DOUBLE | source VARCHAR
        | text VARCHAR | ocr_confidence DOUBLE | rotation INTEGER | capture_class VARCHAR
        | warnings VARCHAR[] | run_id VARCHAR | language VARCHAR | marked_text VARCHAR""",
    ),
    _table(
        "edit_marks",
        "document",
        f"""document_id VARCHAR | page_number INTEGER | kind VARCHAR | text VARCHAR | {_BOX}
        | confidence DOUBLE | source VARCHAR | run_id VARCHAR | crop BLOB""",
    ),
    _table(
        "hidden_text",
        "document",
        f"document_id VARCHAR | page_number INTEGER | kind VARCHAR | text VARCHAR | {_BOX} | run_id VARCHAR",
    ),
    _table(
        "table_cells",
        "document",
        f"""document_id VARCHAR | page_number INTEGER | table_number INTEGER | row_number INTEGER
        | column_number INTEGER | text VARCHAR | {_BOX} | run_id VARCHAR""",
    ),
    _table(
        "signature_areas",
        "document",
        f"""document_id VARCHAR | page_number INTEGER | kind VARCHAR | label VARCHAR | state VARCHAR
        | {_BOX} | run_id VARCHAR""",
    ),
    Table(
        name="contracts",
        level="contract",
        columns={
            "contract_id": "VARCHAR",
            "title": "VARCHAR",
            "contract_type": "VARCHAR",
            "family_id": "VARCHAR",
            "parent_contract_id": "VARCHAR",
            **{t.name: _CONTRACT_TYPES[t.type] for t in TERMS if t.name not in ("title", "contract_type")},
            "language": "VARCHAR",
            "capture_class": "VARCHAR",
            "status": "VARCHAR",
            "run_id": "VARCHAR",
            "version": "INTEGER",
            "document_id": "VARCHAR",
            "work_key": "VARCHAR",
            "playbook_version": "VARCHAR",
            "numbers": "VARCHAR[]",
            "other_parties": "VARCHAR[]",
        },
    ),
    _table(
        "terms",
        "contract",
        f"""term_id VARCHAR | contract_id VARCHAR | term VARCHAR | value VARCHAR | value_date DATE
        | value_number DOUBLE | unit VARCHAR | absence VARCHAR | quote VARCHAR | document_id VARCHAR
        | page_number INTEGER | {_BOX} | char_start INTEGER | char_end INTEGER | evidence VARCHAR
        | confidence DOUBLE | extractor VARCHAR | model VARCHAR | prompt_version VARCHAR | run_id VARCHAR
        | match_score DOUBLE | route VARCHAR | version INTEGER | learned VARCHAR""",
    ),
    _table(
        "clauses",
        "contract",
        f"""contract_id VARCHAR | clause_type VARCHAR | text VARCHAR | heading VARCHAR | document_id VARCHAR
        | page_number INTEGER | page_end INTEGER | {_BOX} | char_start INTEGER | char_end INTEGER
        | confidence DOUBLE | extractor VARCHAR | run_id VARCHAR | version INTEGER""",
    ),
    _table(
        "flags",
        "contract",
        f"""flag_id VARCHAR | contract_id VARCHAR | rule_id VARCHAR | severity VARCHAR | clause_type VARCHAR
        | found VARCHAR | standard VARCHAR | reason VARCHAR | refs VARCHAR[] | quote VARCHAR
        | document_id VARCHAR | page_number INTEGER | {_BOX} | evidence VARCHAR | confidence DOUBLE
        | rule_version VARCHAR | status VARCHAR | run_id VARCHAR | version INTEGER | learned VARCHAR""",
    ),
    _table(
        "asc606",
        "contract",
        """asc606_id VARCHAR | contract_id VARCHAR | topic VARCHAR | proposal VARCHAR | reason VARCHAR
        | paragraphs VARCHAR[] | quote VARCHAR | document_id VARCHAR | page_number INTEGER | status VARCHAR
        | conclusion VARCHAR | preparer VARCHAR | approver VARCHAR | approved_at TIMESTAMP
        | reference_version VARCHAR | run_id VARCHAR | version INTEGER""",
    ),
    _table(
        "fee_lines",
        "contract",
        f"""contract_id VARCHAR | line INTEGER | item VARCHAR | quantity DOUBLE | unit_price {_MONEY}
        | currency VARCHAR | frequency VARCHAR | start_date DATE | end_date DATE | amount {_MONEY}
        | quote VARCHAR | document_id VARCHAR | page_number INTEGER | run_id VARCHAR | version INTEGER""",
    ),
    _table(
        "billing_schedule",
        "contract",
        f"""contract_id VARCHAR | due_date DATE | amount {_MONEY} | currency VARCHAR | basis VARCHAR
        | run_id VARCHAR | version INTEGER""",
    ),
    _table(
        "obligations",
        "contract",
        f"""contract_id VARCHAR | party VARCHAR | obligation VARCHAR | due_date DATE | due_rule VARCHAR
        | amount {_MONEY} | currency VARCHAR | quote VARCHAR | page_number INTEGER | run_id VARCHAR
        | version INTEGER""",
    ),
    _table(
        "document_references",
        "contract",
        """contract_id VARCHAR | reference INTEGER | relation VARCHAR | title VARCHAR | number VARCHAR | dated DATE
        | quote VARCHAR | document_id VARCHAR | page_number INTEGER | run_id VARCHAR | version INTEGER
        | x0 DOUBLE | y0 DOUBLE | x1 DOUBLE | y1 DOUBLE""",
    ),
    _table(
        "amendment_effects",
        "contract",
        """contract_id VARCHAR | effect_number INTEGER | effect VARCHAR | section VARCHAR | terms VARCHAR[]
        | old_text VARCHAR | new_text VARCHAR | months DOUBLE | quote VARCHAR | document_id VARCHAR
        | page_number INTEGER | run_id VARCHAR | version INTEGER""",
    ),
    _table(
        "family_members",
        "family",
        """family_id VARCHAR | contract_id VARCHAR | parent_contract_id VARCHAR | relation VARCHAR | confidence DOUBLE
        | quote VARCHAR | document_id VARCHAR | page_number INTEGER | effective_from DATE | run_id VARCHAR""",
    ),
    _table(
        "family_terms",
        "family",
        """family_id VARCHAR | contract_id VARCHAR | term VARCHAR | value VARCHAR | value_date DATE
        | value_number DOUBLE | unit VARCHAR | set_by_contract_id VARCHAR | set_by_document_id VARCHAR
        | quote VARCHAR | page_number INTEGER
        | effective_from DATE | evidence VARCHAR | run_id VARCHAR""",
    ),
    _table(
        "family_conflicts",
        "family",
        """family_id VARCHAR | contract_id VARCHAR | term VARCHAR | value VARCHAR | held_value VARCHAR
        | held_by_contract_id VARCHAR | prevails VARCHAR | quote VARCHAR | run_id VARCHAR""",
    ),
    _table(
        "family_flags",
        "family",
        f"""family_id VARCHAR | flag_id VARCHAR | contract_id VARCHAR | rule_id VARCHAR | severity VARCHAR
        | clause_type VARCHAR | found VARCHAR | standard VARCHAR | reason VARCHAR | refs VARCHAR[] | quote VARCHAR
        | document_id VARCHAR | page_number INTEGER | {_BOX} | evidence VARCHAR | confidence DOUBLE
        | rule_version VARCHAR | status VARCHAR | run_id VARCHAR | version INTEGER | learned VARCHAR""",
    ),
    _table(
        "chunks",
        "contract",
        """contract_id VARCHAR | chunk_id VARCHAR | heading_path VARCHAR[] | page_first INTEGER
        | page_last INTEGER | char_start INTEGER | char_end INTEGER | run_id VARCHAR | version INTEGER""",
    ),
    _table(
        "retrievals",
        "contract",
        """contract_id VARCHAR | question VARCHAR | chunk_ids VARCHAR[] | scores DOUBLE[]
        | token_share DOUBLE | run_id VARCHAR | version INTEGER""",
    ),
    _table(
        "requests",
        "contract",
        """request_id VARCHAR | contract_id VARCHAR | purpose VARCHAR | asked VARCHAR[] | chunk_ids VARCHAR[]
        | page_images INTEGER[] | passage_share DOUBLE | host VARCHAR | model VARCHAR | tier VARCHAR | outcome VARCHAR
        | attempts INTEGER
        | tokens_in BIGINT | tokens_cached BIGINT | tokens_out BIGINT | cost_usd DOUBLE | bytes_sent BIGINT
        | body_sha256 VARCHAR | redactions INTEGER | response_id VARCHAR | started_at TIMESTAMP | seconds DOUBLE
        | paid BOOLEAN | run_id VARCHAR | version INTEGER""",
    ),
    _table(
        "reviews",
        "review",
        """review_id VARCHAR | contract_id VARCHAR | target VARCHAR | target_id VARCHAR | decision VARCHAR
        | old_value VARCHAR | new_value VARCHAR | reason_code VARCHAR | comment VARCHAR | reviewer VARCHAR
        | decided_at TIMESTAMP | evidence_hash VARCHAR | approver VARCHAR | event_number BIGINT
        | seconds DOUBLE | keystrokes INTEGER | is_blind BOOLEAN | batch VARCHAR
        | event_sha256 VARCHAR | run_id VARCHAR""",
    ),
    _table(
        "review_conflicts",
        "review",
        """conflict_id VARCHAR | contract_id VARCHAR | target VARCHAR | target_id VARCHAR | decision VARCHAR
        | old_value VARCHAR | new_value VARCHAR | stands_now VARCHAR | reason VARCHAR | reviewer VARCHAR
        | decided_at TIMESTAMP | met_at TIMESTAMP | event_number BIGINT | event_sha256 VARCHAR | run_id VARCHAR""",
    ),
    _table(
        "sign_offs",
        "review",
        """sign_off_id VARCHAR | contract_id VARCHAR | action VARCHAR | preparer VARCHAR | prepared_at TIMESTAMP
        | approver VARCHAR | signed_at TIMESTAMP | actor VARCHAR | done_at TIMESTAMP | reason VARCHAR
        | event_number BIGINT | event_sha256 VARCHAR | run_id VARCHAR""",
    ),
    _table(
        "rule_overrides",
        "run",
        """override_id VARCHAR | action VARCHAR | rule_id VARCHAR | scope VARCHAR | reason VARCHAR | owner VARCHAR
        | asked_by VARCHAR | approver VARCHAR | effective_from DATE | effective_to DATE | actor VARCHAR
        | done_at TIMESTAMP | event_number BIGINT | event_sha256 VARCHAR | run_id VARCHAR""",
    ),
    _table(
        "runs",
        "run",
        """run_id VARCHAR | business_date DATE | started_at TIMESTAMP | finished_at TIMESTAMP
        | documents INTEGER | contracts INTEGER | flags INTEGER | quarantined INTEGER | pages INTEGER
        | seconds DOUBLE | tokens_in BIGINT | tokens_out BIGINT | cost_usd DOUBLE | extractor VARCHAR
        | code_version VARCHAR | playbook_version VARCHAR | duplicates INTEGER | inbox VARCHAR
        | trigger VARCHAR | number BIGINT | undone_at BIGINT | found INTEGER
        | unchanged INTEGER | stages STRUCT(stage VARCHAR, seconds DOUBLE)[]""",
    ),
    _table(
        "gate_results",
        "run",
        """run_id VARCHAR | gate VARCHAR | checks VARCHAR | level VARCHAR | found BIGINT | examples VARCHAR""",
    ),
    _table(
        "run_metrics",
        "run",
        """run_id VARCHAR | metric VARCHAR | part VARCHAR | value DOUBLE | counted BIGINT""",
    ),
    _table(
        "audit",
        "run",
        """at TIMESTAMP | action VARCHAR | subject VARCHAR | actor VARCHAR | approver VARCHAR | reason VARCHAR
        | sha256 VARCHAR[] | number BIGINT""",
    ),
    _table(
        "evidence_refs",
        "reference",
        "key VARCHAR | kind VARCHAR | title VARCHAR | summary VARCHAR | url VARCHAR",
    ),
)

TABLE_BY_NAME = {table.name: table for table in TABLES}

SCHEMA_VERSION = "4"
"""Raised when the meaning of rows changes; part of the key under which a contract's rows are kept."""

ABOUT: dict[str, str] = {
    "documents": (
        "Each file or group of page photos: where it came from, how it was taken in, and what became of it "
        "(status landed, duplicate or quarantined)"
    ),
    "pages": "The text of each page as a person sees it, and how it was read (source native or ocr)",
    "edit_marks": (
        "Strikeouts, insertions, handwriting, annotations and highlights on pages; never applied in silence"
    ),
    "hidden_text": "Text in a document that a reader of its page does not see",
    "table_cells": "The cells of tables on pages",
    "signature_areas": "Places for signatures, and whether a signature is there",
    "contracts": (
        "One row a contract, one column a term; counterparty is the other side, our_role says whether we sell "
        "or buy; money is in the contract's currency"
    ),
    "terms": (
        "One row a value of a term with its quotation, page and evidence (verified, derived or unverified); "
        "term is the name of the contracts column; what was not found has an absence and no value"
    ),
    "clauses": (
        "Passages with a clause type in snake_case, such as change_of_control, anti_assignment, indemnity, "
        "insurance, confidentiality, governing_law, audit_rights, warranty_duration, cap_on_liability"
    ),
    "flags": (
        "Departures from the playbook: rule_id (R01 to R50, M01 to M06 for marks on the paper), severity "
        "(critical, high, medium or low), what was found, our standard, the reason, reference keys and "
        "quotation"
    ),
    "asc606": "Proposals on revenue recognition, one a topic, with reason and paragraphs; a person concludes",
    "fee_lines": "The lines of fee tables with their amounts",
    "billing_schedule": "When which amount falls due",
    "obligations": "What a party has to do, and by when",
    "document_references": "Where a contract refers to another document",
    "amendment_effects": "What an amendment changes: sections, terms, old and new text",
    "family_members": "Which contracts belong together, and which one is the parent",
    "family_terms": "Terms in force in a family of contracts, with the contract that set each",
    "family_conflicts": "Values of a family that contradict each other, and which prevails",
    "family_flags": "Flags that only show when all contracts of a family are seen together",
    "chunks": "The passages that a contract was cut into, along its sections",
    "retrievals": "Which passages were read for which question",
    "requests": "What was sent to a model: host, bytes, tokens, cost and outcome",
    "reviews": "What people decided on terms, flags and proposals: confirmed, overridden, rejected and others",
    "review_conflicts": "Decisions that were not landed, since something else stood there by then",
    "sign_offs": "Which contracts one person prepared and another signed off, and what of it was withdrawn",
    "rule_overrides": "Rules that two people agreed not to ask in a scope, from when to when, and what was withdrawn",
    "runs": "Each pass of the night flow: when, how much, how long, at what cost",
    "audit": "Who went back to a former state, held a contract, or had one forgotten, and why",
    "gate_results": "What the quality gates found in each run before it was published",
    "run_metrics": "What each run was like, in figures that should not jump; see the view drift",
    "evidence_refs": "What each reference key of a flag means",
}
"""What each table holds, in a sentence; a reader of the catalogue finds it as the table's comment."""
