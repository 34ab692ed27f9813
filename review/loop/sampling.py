"""Which targets are drawn, by a hash of their ids: the same ones everywhere, and nobody chooses them."""

from hashlib import sha256
from math import sqrt

HELD_BACK = 5
"""Every so many contracts the decisions are never learnt from; they measure what was learnt."""
BLIND_SHARE = 0.05
AUDIT_SHARE = 0.02
_SPAN = 2**32
_SURE = 1.96
"""Standard deviations of a 95 % interval."""


def is_held_back(contract_id: str) -> bool:
    """Whether decisions on a contract are kept for measuring."""
    return _drawn("held back", contract_id) % HELD_BACK == 0


def is_blind(target_id: str, share: float = BLIND_SHARE) -> bool:
    """Whether a target is to be shown without the engine's proposal, to measure how much that sways people."""
    return _drawn("blind", target_id) < share * _SPAN


def is_audited(target_id: str, share: float = AUDIT_SHARE) -> bool:
    """Whether a value that goes through in its order is looked at all the same."""
    return _drawn("audit", target_id) < share * _SPAN


def fold_of(contract_id: str, folds: int) -> int:
    """One of so many parts that a contract belongs to when what is learnt is tried on others."""
    return _drawn("fold", contract_id) % folds


def _drawn(purpose: str, id: str) -> int:
    return int(sha256(f"{purpose}\0{id}".encode()).hexdigest()[:8], 16)


def interval(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927); 0 to 1 of none."""
    if not of:
        return 0.0, 1.0
    share, z2 = hits / of, _SURE**2
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _SURE * sqrt(share * (1 - share) / of + z2 / (4 * of**2)) / (1 + z2 / of)
    return max(0.0, middle - half), min(1.0, middle + half)
