"""Retrieve: for each topic the few chunks that answer it. The third step of the line.

A topic is a group of terms that stand together in contracts. A chunk is scored by two witnesses: the trained
clause model (highest probability of the topic's clause types among the chunk's sentences) and BM25 over the
topic's cue words, which is all there is for topics without training data. Fixed numbers of chunks either
read too much or miss; so all chunks above a score are taken, and their neighbours.

BM25: Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

from schemas.base import Frozen
from schemas.contract import Chunk, Retrieval

LEAST_SCORE = 0.08
MOST_CHUNKS = 14
K1, B = 1.2, 0.75
_WORD = re.compile(r"[a-z]+|[0-9]+%?|[$€£]|[\u3040-\u30ff\u3400-\u9fff]")
_CJK_PAIR = re.compile(r"(?=([\u3040-\u30ff\u3400-\u9fff]{2}))")


class Topic(Frozen):
    """A question of the agent: the clause types the model knows for it and the words that give it away.

    `opening` and `closing` are how many chunks at the start and the end always belong to it: parties and
    dates stand on the first page, signatures on the last.
    """

    name: str
    clause_types: tuple[str, ...] = ()
    cues: tuple[str, ...] = ()
    opening: int = 0
    closing: int = 0


def _topic(name: str, clause_types: str, cues: str, *, opening: int = 0, closing: int = 0) -> Topic:
    return Topic(
        name=name,
        clause_types=tuple(clause_types.split()),
        cues=tuple(cues.split()),
        opening=opening,
        closing=closing,
    )


TOPICS: tuple[Topic, ...] = (
    _topic("identity", "document_name parties agreement_date", "between among undersigned", opening=4),
    _topic(
        "dates",
        "agreement_date effective_date expiration_date",
        "effective commence commencement expire expires dated start end 効力 有効期間 締結",
        opening=4,
    ),
    _topic(
        "duration",
        "expiration_date renewal_term notice_period_to_terminate_renewal",
        "term renew renewal renewed automatically successive extend extended initial months years 契約期間 更新",
    ),
    _topic(
        "termination",
        "termination_for_convenience",
        "terminate termination convenience notice cancel fee early 解約 解除",
    ),
    _topic("law", "governing_law", "governed laws law jurisdiction construed 準拠法"),
    _topic(
        "payment",
        "revenue_profit_sharing price_restrictions",
        "invoice invoices payment pay payable due net days advance arrears annually monthly quarterly late interest "
        "overdue fees 支払 請求 遅延",
    ),
    _topic(
        "price",
        "price_restrictions",
        "increase increases adjust price prices pricing fees renewal cpi index uplift percent cap 改定",
    ),
    _topic(
        "value",
        "minimum_commitment volume_restriction",
        "total fees amount price minimum commitment purchase annual subscription fee usd $ € £ monthly 料金 月額 円",
    ),
    _topic(
        "liability",
        "cap_on_liability uncapped_liability",
        "liability aggregate exceed liable limitation unlimited damages 損害賠償",
    ),
    _topic(
        "signatures",
        "",
        "witness whereof signature signed name title date by executed docusign 署名 記名押印",
        closing=3,
    ),
)


def _words(text: str) -> list[str]:
    """Words and numbers in lower case; of Japanese, which has no blanks, all characters and pairs of them."""
    lower = text.lower()
    return _WORD.findall(lower) + _CJK_PAIR.findall(lower)


class Index:
    """The words of a document's passages, counted once for all questions."""

    def __init__(self, texts: Sequence[str]):
        self._counts = [Counter(_words(text)) for text in texts]
        self._lengths = [sum(counts.values()) for counts in self._counts]
        self._mean = sum(self._lengths) / max(1, len(self._lengths)) or 1.0

    def bm25(self, query: Sequence[str]) -> list[float]:
        """BM25 score of each passage for the words of the query, K1 = 1.2, B = 0.75."""
        scores = [0.0] * len(self._counts)
        for word in {word for cue in query for word in _CJK_PAIR.findall(cue) or _words(cue)}:
            holders = sum(word in counts for counts in self._counts)
            if not holders:
                continue
            idf = math.log(1 + (len(scores) - holders + 0.5) / (holders + 0.5))
            for i, counts in enumerate(self._counts):
                if count := counts[word]:
                    norm = K1 * (1 - B + B * self._lengths[i] / self._mean)
                    scores[i] += idf * count * (K1 + 1) / (count + norm)
        return scores


def retrieve(
    chunks: Sequence[Chunk], index: Index, topic: Topic, model_scores: Sequence[float] | None = None
) -> Retrieval:
    """The chunks that answer a topic, best first, with their scores (0 to 1) and their share of the text.

    `index` holds the chunks' texts; `model_scores` gives, for each chunk, the clause model's highest probability for
    the topic's clause types.
    """
    lexical = index.bm25(topic.cues)
    highest = max(lexical, default=0.0) or 1.0
    scores = [0.5 * score / highest for score in lexical]
    if model_scores is not None:
        scores = [1 - (1 - a) * (1 - b) for a, b in zip(scores, model_scores, strict=True)]
    for i in [
        *range(min(topic.opening, len(chunks))),
        *range(max(0, len(chunks) - topic.closing), len(chunks)),
    ]:
        scores[i] = max(scores[i], 0.5)
    best = sorted((i for i in range(len(chunks)) if scores[i] >= LEAST_SCORE), key=lambda i: -scores[i])
    chosen = _with_neighbours(best[:MOST_CHUNKS], len(chunks))
    read = sum(len(chunks[i].text.split()) for i in chosen)
    whole = sum(len(chunk.text.split()) for chunk in chunks)
    return Retrieval(
        question=topic.name,
        chunk_ids=tuple(chunks[i].chunk_id for i in chosen),
        scores=tuple(round(scores[i], 4) for i in chosen),
        token_share=read / max(1, whole),
    )


def _with_neighbours(best: Sequence[int], count: int) -> list[int]:
    chosen = dict.fromkeys(best)
    for i in best[:3]:
        chosen.update(dict.fromkeys(j for j in (i - 1, i + 1) if 0 <= j < count))
    return list(chosen)
