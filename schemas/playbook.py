"""The playbook: standard positions as data, and the small language in which a rule says when it fires.

A rule never holds code. Its `when` is a list of cases, each with one predicate of a few fixed kinds; a
pattern is a regular expression over the lower-case text of a clause. The files stand in `playbooks/`.
"""

import hashlib
import re
import string
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import yaml
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from schemas.base import Frozen
from schemas.clauses import CLAUSE_TYPES
from schemas.contract import Absence, Reference, Severity
from schemas.errors import PlaybookError
from schemas.terms import CONTRACT_TYPES, TERM_BY_NAME

Side = Literal["seller", "buyer", "any"]

FOLDER = Path(__file__).resolve().parent.parent / "playbooks"
ALWAYS = ("marks", "asc606", "references")
"""Files that apply beside any pack: marks on the paper, topics of ASC 606, and what the references mean."""

SLOTS = frozenset({"found", "standard", "fallback", "delta", "number", *TERM_BY_NAME})
"""What a template may name in braces: the finding, the position, the distance from the limit, the number
read from a clause, and every term."""

_NUMBERS = ("number", "days", "money", "text")


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _one_of(kind: str, known: Iterable[str]) -> AfterValidator:
    names = frozenset(known)

    def check(value: str) -> str:
        if value not in names:
            raise ValueError(f"`{value}` is not a {kind}")
        return value

    return AfterValidator(check)


DECIMAL_POINT = "\u2024"
"""Stands for the point of a decimal in the text that patterns see: `[^.]` then ends at full stops only."""


def _compiled(value: Any) -> re.Pattern[str]:
    if isinstance(value, re.Pattern):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError("a pattern is text")
    if re.search(r"(?<!\\)[A-Z]", value):
        raise ValueError(f"pattern `{value}`: write it in lower case, it is matched against lower-case text")
    try:
        return re.compile(re.sub(r"(?<!\\)\\\.", f"[.{DECIMAL_POINT}]", value))
    except re.error as error:
        raise ValueError(f"pattern `{value}`: {error}") from error


def _template(value: str) -> str:
    try:
        parts = list(string.Formatter().parse(value))
    except ValueError as error:
        raise ValueError(f"template `{value}`: {error}") from error
    for _, slot, spec, conversion in parts:
        if slot is not None and (slot not in SLOTS or spec or conversion):
            raise ValueError(f"template `{value}`: `{{{slot}}}` is not a slot")
    return value


TermName = Annotated[str, _one_of("term", TERM_BY_NAME)]
ClauseType = Annotated[str, _one_of("clause type", CLAUSE_TYPES)]
ContractType = Annotated[str, _one_of("contract type", CONTRACT_TYPES.split())]
RuleId = Annotated[str, Field(pattern=r"^[A-Z]\d{2,3}$")]
Template = Annotated[str, AfterValidator(_template)]
Regex = Annotated[re.Pattern[str], BeforeValidator(_compiled)]
Regexes = Annotated[tuple[Regex, ...], BeforeValidator(_as_tuple)]
Words = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
ClauseTypes = Annotated[tuple[ClauseType, ...], BeforeValidator(_as_tuple), Field(min_length=1)]
ContractTypes = Annotated[tuple[ContractType, ...], BeforeValidator(_as_tuple)]


class Limits(Frozen):
    """Bounds for a number, all of which must hold; none is given where a number is not asked for."""

    greater_than: float | None = None
    at_least: float | None = None
    less_than: float | None = None
    at_most: float | None = None

    @property
    def bounds(self) -> tuple[tuple[str, float], ...]:
        pairs = ((name, getattr(self, name)) for name in Limits.model_fields)
        return tuple((name, bound) for name, bound in pairs if bound is not None)


class TermTest(Limits):
    """The term has a value, and the value passes.

    `is` and `is_not` compare the bare text. The limits compare the number; with `days_before` the number of
    days from this date to that other date, with `share_of` this number over that other number. `matches`
    and `unless` are patterns over the value, for terms of free text, `quoted` over its quotation.
    """

    term: TermName
    is_: Words = Field((), alias="is")
    is_not: Words = ()
    days_before: TermName | None = None
    share_of: TermName | None = None
    matches: Regexes = ()
    unless: Regexes = ()
    quoted: Regexes = ()

    @model_validator(mode="after")
    def _fits_the_term(self) -> "TermTest":
        spec = TERM_BY_NAME[self.term]
        unknown = [v for v in (*self.is_, *self.is_not) if spec.choices and v not in spec.choices]
        if unknown:
            raise ValueError(f"`{self.term}` is never `{unknown[0]}`; it is one of {', '.join(spec.choices)}")
        if spec.type == "flag" and not set(self.is_) | set(self.is_not) <= {"true", "false"}:
            raise ValueError(f'`{self.term}` is "true" or "false", in quotes')
        if bool(self.days_before) != (spec.type == "date" and bool(self.bounds)):
            raise ValueError(f"`{self.term}`: dates, and only they, are compared with days_before and a limit")
        if self.bounds and not self.days_before and spec.type not in _NUMBERS:
            raise ValueError(f"`{self.term}` is no number")
        if not (self.is_ or self.is_not or self.bounds or self.matches or self.unless or self.quoted):
            raise ValueError(f"`{self.term}` is not tested for anything; use `present` or `absent`")
        return self


class Present(Frozen):
    """The term has a value."""

    present: TermName


class Absent(Frozen):
    """The term has no value, for one of these causes. What is illegible or conflicting is not absent."""

    absent: TermName
    because: Annotated[tuple[Absence, ...], BeforeValidator(_as_tuple)] = ("not_found",)


class ClauseTest(Limits):
    """There is a clause of one of these types with a sentence that one of `matches` and one of `also` fit,
    and none of `unless`; nothing in the clause or shortly before and after it fits `unless_nearby`.

    `within: clause` takes the whole clause for one sentence, `within: nearby` its surroundings too. With `anywhere`
    every sentence of the document is looked at when no clause of the types does it: for patterns that tell enough. With
    limits, the group of the pattern in `matches` is a number, in digits or as a word, and has to pass. In
    patterns `@us` and `@them` stand for either side's name or role, once our role is known.
    """

    clause: ClauseTypes
    matches: Regexes = ()
    also: Regexes = ()
    unless: Regexes = ()
    unless_nearby: Regexes = ()
    within: Literal["sentence", "clause", "nearby"] = "sentence"
    anywhere: bool = False

    @model_validator(mode="after")
    def _number_has_a_group(self) -> "ClauseTest":
        if self.bounds and not (self.matches and all(p.groups for p in self.matches)):
            raise ValueError("a limit on a clause needs patterns with a group for the number")
        return self


class NoClause(Frozen):
    """There is no clause of these types."""

    no_clause: ClauseTypes


class DocumentTest(Frozen):
    """A sentence anywhere in the document fits one of these patterns and one of `also`, and none of `unless`.

    For what no clause type holds; the flag quotes the sentence as a clause of the type `clause_type`.
    """

    document: Annotated[Regexes, Field(min_length=1)]
    clause_type: ClauseType
    also: Regexes = ()
    unless: Regexes = ()


class Judged(Frozen):
    """An engine that judges language says that the contract departs: the answer to `question` is yes.

    Only the openai extractor judges; without it the case never holds.
    """

    judged: RuleId
    question: str


class PartyRole(Frozen):
    """A party bears a role that one of these patterns fits."""

    party_role: Regexes


class Flagged(Frozen):
    """One of the cases of that other rule holds, whatever its side and severity."""

    flagged: RuleId


class All(Frozen):
    """Every part holds; the first part that quotes something is what the flag quotes."""

    all: Annotated[tuple["Predicate", ...], Field(min_length=1)]


class AnyOf(Frozen):
    """One part holds; the first that does counts."""

    any: Annotated[tuple["Predicate", ...], Field(min_length=1)]


class Not(Frozen):
    """The part does not hold."""

    not_: "Predicate" = Field(alias="not")


_KINDS = {
    "term": TermTest,
    "present": Present,
    "absent": Absent,
    "clause": ClauseTest,
    "no_clause": NoClause,
    "document": DocumentTest,
    "party_role": PartyRole,
    "flagged": Flagged,
    "judged": Judged,
    "all": All,
    "any": AnyOf,
    "not": Not,
}


def _kind(value: Any) -> str | None:
    if isinstance(value, Mapping):
        return next((key for key in _KINDS if key in value), None)
    return next((key for key, model in _KINDS.items() if isinstance(value, model)), None)


Predicate = Annotated[
    Annotated[TermTest, Tag("term")]
    | Annotated[Present, Tag("present")]
    | Annotated[Absent, Tag("absent")]
    | Annotated[ClauseTest, Tag("clause")]
    | Annotated[NoClause, Tag("no_clause")]
    | Annotated[DocumentTest, Tag("document")]
    | Annotated[PartyRole, Tag("party_role")]
    | Annotated[Flagged, Tag("flagged")]
    | Annotated[Judged, Tag("judged")]
    | Annotated[All, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")],
    Discriminator(
        _kind,
        custom_error_type="predicate",
        custom_error_message=f"a predicate has one of the keys {', '.join(_KINDS)}",
    ),
]

All.model_rebuild()
AnyOf.model_rebuild()
Not.model_rebuild()


class Case(Frozen):
    """When `if` holds: how grave it is, what was found, and a sentence for the reviewer."""

    if_: Predicate = Field(alias="if")
    severity: Severity
    found: Template = "{found}"
    reason: Template


class Rule(Frozen):
    """A position of the playbook. The first case that holds makes the flag; with `each`, every one does.

    `section` is the rule's own reference key. `pending` says what is not judged yet. `in_code` marks rules
    about the page and not about terms, which `extractors/flag.py` works out.
    """

    id: RuleId
    version: str
    title: str
    section: str | None = None
    clause: ClauseType | None
    side: Side
    contract_types: ContractTypes = ()
    not_contract_types: ContractTypes = ()
    standard: str
    fallback: str
    references: tuple[str, ...]
    severity: Severity | None = None
    each: bool = False
    when: tuple[Case, ...] = ()
    pending: str | None = None
    in_code: bool = False

    @model_validator(mode="after")
    def _judged_or_pending(self) -> "Rule":
        if not (self.when or self.pending or self.in_code):
            raise ValueError("give `when`, or say under `pending` why there is none")
        is_judged = any(isinstance(case.if_, Judged) for case in self.when)
        if is_judged and not (self.clause and self.section and self.references):
            raise ValueError("a rule that an engine judges states its `clause`, its `section` and `references`")
        if self.in_code and self.severity is None:
            raise ValueError("a rule worked out in code states its `severity`")
        return self

    @property
    def refs(self) -> tuple[str, ...]:
        """All reference keys, the rule's own section first."""
        return ((self.section,) if self.section else ()) + self.references


class AscCase(Frozen):
    """When `if` holds: what to propose under a topic, why, and on which paragraphs it rests."""

    if_: Predicate = Field(alias="if")
    proposal: Template
    reason: Template
    paragraphs: tuple[str, ...]
    found: Template = "{found}"


class AscRule(Frozen):
    """A topic of ASC 606 (or of the buy side) and when a contract raises it; the first case counts."""

    topic: str
    side: Side
    contract_types: ContractTypes = ()
    not_contract_types: ContractTypes = ()
    when: Annotated[tuple[AscCase, ...], Field(min_length=1)]


class Exempt(Frozen):
    """A departure that somebody approved, for one contract or for a counterparty, perhaps up to a day."""

    rule: RuleId
    contract_id: str | None = None
    counterparty: str | None = None
    approved_by: Annotated[str, Field(min_length=1)]
    reason: Annotated[str, Field(min_length=1)]
    until: date | None = None

    @model_validator(mode="after")
    def _names_one(self) -> "Exempt":
        if (self.contract_id is None) == (self.counterparty is None):
            raise ValueError("name either a contract_id or a counterparty")
        return self


class Playbook(Frozen):
    """The rules in force. `library` has every rule there is, by id; `references` every key of a reference."""

    name: str
    version: str
    rules: tuple[Rule, ...]
    topics: tuple[AscRule, ...]
    library: dict[str, Rule]
    references: dict[str, Reference]
    exceptions: tuple[Exempt, ...] = ()


class Position(NamedTuple):
    """A position that no rule can decide: the question an engine judges, and what it is judged against.

    `section` is the key of the position itself, `references` are the standards behind it; a judgement cites both.
    """

    id: str
    clause: str
    question: str
    standard: str
    fallback: str
    section: str
    references: tuple[Reference, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that a judgement may cite."""
        return (self.section, *(reference.key for reference in self.references))


def positions(playbook: Playbook) -> tuple[Position, ...]:
    """The positions of a playbook that an engine has to judge, by rule id."""
    return tuple(
        Position(
            id=rule.id,
            clause=rule.clause,
            question=case.if_.question,
            standard=rule.standard,
            fallback=rule.fallback,
            section=rule.section,
            references=tuple(playbook.references[key] for key in rule.references),
        )
        for rule in playbook.rules
        for case in rule.when
        if isinstance(case.if_, Judged)
    )


def pack_names(folder: Path | None = None) -> tuple[str, ...]:
    """The names of the packs in a folder, in alphabetical order."""
    return tuple(sorted(f.stem for f in (folder or FOLDER).glob("*.yaml") if f.stem not in ALWAYS))


def load_playbooks(name: str | None = None, folder: Path | None = None) -> Playbook:
    """The pack of that name, or all packs, with the marks, the ASC 606 topics and the references.

    A name that ends in `.yaml` is the path of a company's own file (see `schemas.own_playbook`).
    A folder of one's own may leave out `marks`, `asc606` and `references`; the project's apply then.
    `version` is the start of a SHA-256 over the chosen name and the files' names and contents.
    Raises PlaybookError for an unknown name and for a file that is not well formed.
    """
    if name is not None and name.endswith((".yaml", ".yml")):
        from schemas.own_playbook import load_own  # it builds on this module

        return load_own(Path(name))
    folder, names = folder or FOLDER, pack_names(folder)
    if name is not None and name not in names:
        raise PlaybookError(
            f"There is no playbook `{name}`.", help=f"Choose one of: {', '.join(names) or 'none here'}."
        )
    files = {stem: _file(folder, stem) for stem in (*names, *ALWAYS)}
    packs = {stem: _read(file) for stem, file in files.items()}
    rules = {stem: _rules(files[stem], packs[stem]) for stem in (*names, "marks")}
    library = _library(files, rules)
    references = {**_references(files["references"], packs["references"]), **sections_of(library.values())}
    topics = _topics(files["asc606"], packs["asc606"])
    _check_keys(files, rules, topics, references, library)
    chosen = [rule for stem in ((name,) if name else names) for rule in rules[stem]]
    return Playbook(
        name=name or "all",
        version=_version(name, files.values()),
        rules=tuple(sorted((*chosen, *rules["marks"]), key=lambda rule: rule.id)),
        topics=topics,
        library=library,
        references=references,
    )


def references(folder: Path | None = None) -> dict[str, Reference]:
    """What every reference key means, by key."""
    return load_playbooks(folder=folder).references


def _file(folder: Path, stem: str) -> Path:
    own = folder / f"{stem}.yaml"
    return own if own.is_file() else FOLDER / f"{stem}.yaml"


def _version(name: str | None, files: Iterable[Path]) -> str:
    digest = hashlib.sha256((name or "").encode())
    for file in sorted(files, key=lambda file: file.name):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _read(file: Path) -> dict[str, Any]:
    try:
        data = yaml.load(file.read_bytes(), Loader=_LOADER)
    except yaml.YAMLError as error:
        raise PlaybookError(f"{file} is not valid YAML: {error}.", help="Correct that line.") from error
    if not isinstance(data, dict):
        raise PlaybookError(f"{file} holds no rules.", help="Begin it with `rules:` as the other packs do.")
    return data


class _StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Reads plain data only, and refuses a key that stands twice in one mapping."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        twice = next((key for key in keys if isinstance(key, str) and keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.YAMLError(f"line {node.start_mark.line + 1}: the key `{twice}` stands twice")
        return super().construct_mapping(node, deep)


_LOADER = _StrictLoader
_PACK_KEYS = {"side", "contract_types", "not_contract_types", "rules"}


def _rules(file: Path, data: dict[str, Any]) -> tuple[Rule, ...]:
    _only(file, data, _PACK_KEYS)
    defaults = {key: value for key, value in data.items() if key != "rules"}
    return tuple(_model(Rule, "id", file, {**defaults, **entry}) for entry in _entries(file, data, "rules"))


def _topics(file: Path, data: dict[str, Any]) -> tuple[AscRule, ...]:
    _only(file, data, (_PACK_KEYS - {"rules"}) | {"topics"})
    defaults = {key: value for key, value in data.items() if key != "topics"}
    return tuple(_model(AscRule, "topic", file, {**defaults, **entry}) for entry in _entries(file, data, "topics"))


def _references(file: Path, data: dict[str, Any]) -> dict[str, Reference]:
    _only(file, data, {"asc", "open_standard"})
    return {
        key: _model(Reference, "key", file, {"key": key, "kind": kind, **_mapping(file, key, entry)})
        for kind, entries in data.items()
        for key, entry in entries.items()
    }


def sections_of(rules: Iterable[Rule]) -> dict[str, Reference]:
    """A rule is its own playbook section: title and positions are stated once, in the rule."""
    return {
        rule.section: Reference(
            key=rule.section,
            kind="playbook",
            title=rule.title,
            summary=f"Standard: {rule.standard}. Acceptable: {rule.fallback}.",
        )
        for rule in rules
        if rule.section
    }


def _library(files: dict[str, Path], rules: dict[str, tuple[Rule, ...]]) -> dict[str, Rule]:
    library: dict[str, Rule] = {}
    for stem, pack in rules.items():
        for rule in pack:
            if rule.id in library:
                raise PlaybookError(
                    f"{files[stem]}, rule {rule.id}: this id stands twice.", help="Give it an id of its own."
                )
            library[rule.id] = rule
    return library


def _check_keys(files, rules, topics, known: dict[str, Reference], library: dict[str, Rule]) -> None:
    for stem, pack in rules.items():
        for rule in pack:
            _check_known(files[stem], rule.id, rule.references, known, "reference")
            _check_known(files[stem], rule.id, _named(rule.when), library, "rule")
    for topic in topics:
        keys = [key for case in topic.when for key in case.paragraphs]
        _check_known(files["asc606"], topic.topic, keys, known, "reference")
        _check_known(files["asc606"], topic.topic, _named(topic.when), library, "rule")


def _check_known(file: Path, where: str, keys: Iterable[str], known: Mapping, kind: str) -> None:
    for key in keys:
        if key not in known:
            raise PlaybookError(
                f"{file}, rule {where}: the {kind} `{key}` is not known.",
                help="Correct the key, or add it to references.yaml." if kind == "reference" else "Correct it.",
            )


def _named(cases: Iterable[Case | AscCase]) -> list[str]:
    """The rules that predicates refer to by `flagged`, at any depth."""
    found, todo = [], [case.if_ for case in cases]
    while todo:
        match todo.pop():
            case Flagged(flagged=rule_id):
                found.append(rule_id)
            case All(all=parts) | AnyOf(any=parts):
                todo.extend(parts)
            case Not(not_=part):
                todo.append(part)
    return found


def _only(file: Path, data: dict[str, Any], keys: set[str]) -> None:
    if unknown := sorted(set(data) - keys):
        raise PlaybookError(f"{file}: the key `{unknown[0]}` is not known.", help=f"Use {', '.join(sorted(keys))}.")


def _entries(file: Path, data: dict[str, Any], key: str) -> list[dict[str, Any]]:
    entries = data.get(key)
    if not isinstance(entries, list):
        raise PlaybookError(f"{file} has no list `{key}`.", help=f"Begin it with `{key}:`.")
    return [_mapping(file, f"number {at}", entry) for at, entry in enumerate(entries, start=1)]


def _mapping(file: Path, where: str, entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise PlaybookError(f"{file}, entry {where}: keys and values are missing.", help="Write `key: value`.")
    return entry


def _model(model: type[Frozen], name: str, file: Path, entry: dict[str, Any]) -> Any:
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"] if part not in _KINDS or part in entry)
        raise PlaybookError(
            f"{file}, rule {entry.get(name, '?')}: {place or 'the rule'}: {first['msg']}.",
            help="Correct it; the project's own packs show every key a rule may have.",
        ) from error
