"""A company's own playbook: other thresholds, rules of its own, and exceptions that were approved.

One YAML file, given wherever a playbook is chosen (`--playbook acme.yaml`, or the setting `playbook`):

    overrides:
      - {rule: R01, limits: [{was: 45, now: 60}], standard: payment within 60 days}
      - {rule: R48, disabled: true}
    rules:            # as in the project's packs
      - id: X01
        ...
    exceptions:
      - {rule: R19, counterparty: Acme GmbH, approved_by: M. Ito, reason: strategic, until: 2027-12-31}

A file that is not well formed is refused with its line and what to do.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError, model_validator

from schemas.base import Frozen
from schemas.contract import Reference, Severity
from schemas.errors import PlaybookError
from schemas.playbook import All, AnyOf, Case, Exempt, Limits, Not, Playbook, Rule, RuleId, load_playbooks, sections_of

_BOUNDS = tuple(Limits.model_fields)


class Swap(Frozen):
    """A threshold: what it was in the project's pack, and what it is for us."""

    was: float
    now: float


class Override(Frozen):
    """What is different for us in one of the project's rules."""

    rule: RuleId
    disabled: bool = False
    limits: tuple[Swap, ...] = ()
    severity: Severity | None = None
    standard: str | None = None
    fallback: str | None = None


class OwnPlaybook(Frozen):
    """The whole file."""

    pack: str | None = None
    side: str | None = None
    overrides: tuple[Override, ...] = ()
    rules: tuple[dict[str, Any], ...] = ()
    references: dict[str, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    exceptions: tuple[Exempt, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> "OwnPlaybook":
        named = [override.rule for override in self.overrides]
        twice = next((rule for rule in named if named.count(rule) > 1), None)
        if twice:
            raise ValueError(f"{twice} is overridden twice; write one entry")
        return self


def load_own(file: Path) -> Playbook:
    """The project's playbook with a company's file applied. Raises PlaybookError naming line and remedy."""
    if not file.is_file():
        raise PlaybookError(f"There is no playbook {file}.", help="Give the path of a YAML file, or a pack's name.")
    lines = _Lines(file)
    own = lines.model(OwnPlaybook, lines.data, ())
    base = load_playbooks(own.pack)
    references = base.references | {
        key: Reference(key=key, kind="playbook", title=text, summary=text) for key, text in own.references.items()
    }
    changed = {
        override.rule: _overridden(lines, number, override, base) for number, override in enumerate(own.overrides)
    }
    added = [_added(lines, number, entry, base, references) for number, entry in enumerate(own.rules)]
    kept = [changed.get(rule.id, rule) for rule in base.rules]
    library = base.library | {rule.id: rule for rule in (*changed.values(), *added) if rule}
    for number, exempt in enumerate(own.exceptions):
        if exempt.rule not in library:
            raise lines.error(("exceptions", number), f"there is no rule {exempt.rule}", "Correct the rule's id.")
    return base.model_copy(
        update={
            "name": file.stem,
            "version": hashlib.sha256(base.version.encode() + b"\0" + file.read_bytes()).hexdigest()[:12],
            "rules": tuple(sorted((rule for rule in (*kept, *added) if rule), key=lambda rule: rule.id)),
            "library": library,
            "references": sections_of([rule for rule in added if rule]) | references,
            "exceptions": own.exceptions,
        }
    )


class _Lines:
    """A YAML file with the line of each of its entries."""

    def __init__(self, file: Path):
        self.file = file
        text = file.read_text(encoding="utf-8")
        try:
            self._root = yaml.compose(text, Loader=yaml.SafeLoader)
            self.data = yaml.safe_load(text) or {}
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = f", line {mark.line + 1}" if mark else ""
            problem = getattr(error, "problem", None) or "it is not YAML"
            raise PlaybookError(
                f"{file.name}{place}: {problem}.", help="Correct the indentation or the quotes there."
            ) from error
        if not isinstance(self.data, dict):
            raise PlaybookError(
                f"{file.name}, line 1: it holds no keys.", help="Begin with overrides:, rules: or exceptions:."
            )

    def line(self, path: Sequence[str | int]) -> int:
        """The line of an entry, or of the innermost one around it that there is."""
        node, line = self._root, 1
        for part in path:
            if isinstance(node, yaml.MappingNode):
                found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
                if found is None:
                    continue  # the name of a kind of predicate, which the file does not write
                line, node = found[0].start_mark.line + 1, found[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                line = node.start_mark.line + 1
        return line

    def error(self, path: Sequence[str | int], problem: str, remedy: str) -> PlaybookError:
        """An error that names the line."""
        return PlaybookError(f"{self.file.name}, line {self.line(path)}: {problem}.", help=remedy)

    def model(self, kind: type[Frozen], data: Any, path: Sequence[str | int]) -> Any:
        """The data as a model. Raises PlaybookError for the first thing that is wrong."""
        try:
            return kind.model_validate(data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"] if isinstance(part, str)) or "the entry"
            known = ", ".join(name.rstrip("_") for name in kind.model_fields)
            remedy = f"It may have {known}." if first["type"] == "extra_forbidden" else "Correct it there."
            raise self.error((*path, *first["loc"]), f"{where}: {first['msg']}", remedy) from error


def _overridden(lines: _Lines, number: int, override: Override, base: Playbook) -> Rule | None:
    path = ("overrides", number)
    rule = base.library.get(override.rule)
    if rule is None:
        raise lines.error((*path, "rule"), f"there is no rule {override.rule}", "See `contract-agent playbook list`.")
    if override.disabled:
        return None
    cases = rule.when
    for at, swap in enumerate(override.limits):
        swapped = tuple(case.model_copy(update={"if_": _swapped(case.if_, swap)}) for case in cases)
        if swapped == cases:
            known = ", ".join(f"{limit:g}" for limit in sorted(set(_limits(rule.when)))) or "none"
            problem = f"{rule.id} has no limit of {swap.was:g}"
            raise lines.error((*path, "limits", at), problem, f"Its limits are: {known}.")
        cases = swapped
    if override.severity:
        cases = tuple(case.model_copy(update={"severity": override.severity}) for case in cases)
    told = {name: getattr(override, name) for name in ("standard", "fallback") if getattr(override, name)}
    return rule.model_copy(update={"when": cases, "version": f"{rule.version}+own", **told})


def _added(lines: _Lines, number: int, entry: dict[str, Any], base: Playbook, references: dict[str, Reference]) -> Rule:
    path = ("rules", number)
    rule = lines.model(Rule, {"side": "any", **entry}, path)
    if rule.id in base.library:
        raise lines.error((*path, "id"), f"{rule.id} is a rule of the project", "Override it, or take another id.")
    for key in rule.references:
        if key not in references:
            problem = f"the reference `{key}` is not known"
            raise lines.error((*path, "references"), problem, "Correct the key, or add it under `references:`.")
    return rule


def _swapped(test: Any, swap: Swap) -> Any:
    """The predicate with a limit exchanged wherever it stands."""
    if isinstance(test, Limits):
        found = {name: swap.now for name in _BOUNDS if getattr(test, name) == swap.was}
        return test.model_copy(update=found)
    if isinstance(test, All):
        return test.model_copy(update={"all": tuple(_swapped(part, swap) for part in test.all)})
    if isinstance(test, AnyOf):
        return test.model_copy(update={"any": tuple(_swapped(part, swap) for part in test.any)})
    if isinstance(test, Not):
        return test.model_copy(update={"not_": _swapped(test.not_, swap)})
    return test


def _limits(cases: Iterable[Case]) -> Iterable[float]:
    todo = [case.if_ for case in cases]
    while todo:
        test = todo.pop()
        if isinstance(test, Limits):
            yield from (bound for _, bound in test.bounds)
        elif isinstance(test, All | AnyOf):
            todo += test.all if isinstance(test, All) else test.any
        elif isinstance(test, Not):
            todo.append(test.not_)


def is_exempt(exempt: Exempt, rule_id: str, contract_id: str, counterparty: str | None, today: date) -> bool:
    """Whether an approved exception takes in a flag of a contract on a day."""
    if exempt.rule != rule_id or (exempt.until and today > exempt.until):
        return False
    if exempt.contract_id:
        return exempt.contract_id == contract_id
    return bool(counterparty) and exempt.counterparty.lower() == counterparty.lower()
