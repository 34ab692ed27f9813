"""Where a run's time went: in `runs.stages`, and as a picture."""

import base64
import xml.etree.ElementTree as ElementTree

from flows.deployments import by_percent
from flows.picture import as_url, stages_picture

SVG = "{http://www.w3.org/2000/svg}"


def test_a_run_says_where_its_time_went(agent, inbox):
    assert agent("run", inbox).code == 0
    rows = agent("sql", "SELECT s.stage, s.seconds FROM runs, unnest(stages) t(s)", "--format", "json").rows
    seconds = {row["stage"]: row["seconds"] for row in rows}
    assert {"read", "chunk", "extract", "check", "judge", "rows", "plan", "land", "compare"} <= set(seconds)
    assert seconds["read"] > 0 and seconds["extract"] > 0
    assert "ocr" not in seconds  # nothing of it is a picture


def test_the_picture_has_a_bar_a_stage_as_long_as_its_share():
    svg = stages_picture({"read": 10.0, "ocr": 40.0, "land <&>": 0.0}, "3 documents")
    root = ElementTree.fromstring(svg)
    bars = [float(rect.get("width")) for rect in root.iter(f"{SVG}rect") if rect.get("x")]
    assert len(bars) == 3 and bars[1] == max(bars) and abs(bars[0] / bars[1] - 0.25) < 0.01
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "land <&>" in texts and "40.0 s (80%)" in texts and "3 documents" in texts
    kind, data = as_url(svg).split(",")
    assert kind == "data:image/svg+xml;base64" and base64.b64decode(data).decode() == svg


def test_progress_is_told_once_a_percent():
    told = []
    watch = by_percent(told.append)
    for done in range(1, 10_001):
        watch(done, 10_000)
    assert told == [float(percent) for percent in range(1, 101)]
