"""Retrieve: the chunks that answer a question come first, and the rest stays unread."""

import pytest

from extractors.retrieve import LEAST_SCORE, MOST_CHUNKS, TOPICS, Index, retrieve
from schemas.clauses import CLAUSE_TYPES
from schemas.contract import Chunk

FILL = "Each party keeps books and records as sound practice in its trade demands. "
TEXTS = [
    "This Agreement is made between Alpha and Beta. " + FILL * 3,
    *[f"{i}. Records. " + FILL * 6 for i in range(2, 20)],
    "20. Term. The initial term renews automatically for successive terms unless notice. " + FILL,
    *[f"{i}. Records. " + FILL * 6 for i in range(21, 40)],
    "40. Law. This Agreement is governed by the laws of Ohio; jurisdiction is there. " + FILL,
    *[f"{i}. Records. " + FILL * 6 for i in range(41, 60)],
    "IN WITNESS WHEREOF the parties signed. By: Name: Title: Date:",
]


def chunks_of(texts: list[str]) -> list[Chunk]:
    chunks, at = [], 0
    for i, text in enumerate(texts):
        fields = {"start": at, "end": at + len(text), "text": text, "heading_path": ()}
        chunks.append(Chunk(chunk_id=f"k{i:04d}", page_first=1, page_last=1, **fields))
        at += len(text)
    return chunks


TOPIC = {topic.name: topic for topic in TOPICS}
CHUNKS = chunks_of(TEXTS)
INDEX = Index(TEXTS)


def found_in(texts: list[str], topic):
    return retrieve(chunks_of(texts), Index(texts), topic)


@pytest.mark.parametrize(("topic", "place"), [("duration", 19), ("law", 39), ("signatures", 59)])
def test_the_chunk_that_answers_is_among_the_first(topic, place):
    found = retrieve(CHUNKS, INDEX, TOPIC[topic])
    assert f"k{place:04d}" in found.chunk_ids[:3]
    assert found.question == topic


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_shape_of_a_retrieval(topic):
    found = retrieve(CHUNKS, INDEX, topic)
    assert len(found.chunk_ids) == len(found.scores) == len(set(found.chunk_ids)) <= MOST_CHUNKS + 6
    assert all(0 <= score <= 1 for score in found.scores)
    best = [score for score in found.scores if score >= LEAST_SCORE]
    assert best == sorted(best, reverse=True)
    read = sum(len(c.text.split()) for c in CHUNKS if c.chunk_id in found.chunk_ids)
    assert found.token_share == pytest.approx(read / sum(len(c.text.split()) for c in CHUNKS))
    assert found.token_share < 0.5


def test_the_opening_and_the_end_belong_to_their_topics():
    assert {"k0000", "k0001", "k0002", "k0003"} <= set(retrieve(CHUNKS, INDEX, TOPIC["identity"]).chunk_ids)
    last = {f"k{i:04d}" for i in range(len(TEXTS) - 3, len(TEXTS))}
    assert last <= set(retrieve(CHUNKS, INDEX, TOPIC["signatures"]).chunk_ids)


def test_neighbours_of_the_best_come_along():
    found = retrieve(CHUNKS, INDEX, TOPIC["law"])
    assert {"k0038", "k0039", "k0040"} <= set(found.chunk_ids)


def test_what_the_model_knows_outweighs_words():
    scores = [0.0] * len(TEXTS)
    scores[7] = 0.95
    found = retrieve(CHUNKS, INDEX, TOPIC["law"], scores)
    assert found.chunk_ids[0] == "k0007" and "k0039" in found.chunk_ids


def test_scores_of_another_document_are_refused():
    with pytest.raises(ValueError):
        retrieve(CHUNKS, INDEX, TOPIC["law"], [0.5])


def test_an_empty_document():
    found = found_in([], TOPIC["identity"])
    assert (found.chunk_ids, found.scores, found.token_share) == ((), (), 0)


def test_a_document_of_one_chunk_is_read_whole():
    found = found_in(["The laws of Ohio govern."], TOPIC["law"])
    assert (found.chunk_ids, found.token_share) == (("k0000",), 1)


def test_nothing_is_retrieved_where_nothing_answers():
    assert found_in([FILL] * 9, TOPIC["law"]).chunk_ids == ()


def test_japanese_cues_are_found_inside_unbroken_text():
    texts = [f"第{i}条 甲は乙に対し業務を委託し、乙はこれを受託する。" for i in range(1, 20)]
    texts[11] = "第12条 本契約の有効な契約期間は一年とし、満了後は自動的に更新される。"
    assert found_in(texts, TOPIC["duration"]).chunk_ids[0] == "k0011"


def test_topics_name_clause_types_that_exist():
    assert len(TOPIC) == len(TOPICS)
    assert {kind for topic in TOPICS for kind in topic.clause_types} <= set(CLAUSE_TYPES)
    assert all(topic.cues for topic in TOPICS)
