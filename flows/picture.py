"""Pictures of runs, as SVG that needs nothing else: where the time went, and how a run compares with those before."""

from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from html import escape

WIDTH, BAR, GAP, LEFT, RIGHT = 720, 20, 8, 110, 120
OF_THE_RUN = ("plan", "compare", "land", "link", "publish")


def stages_picture(stages: Mapping[str, float], title: str) -> str:
    """An SVG of the stages in their order. Those of the line are sums over all workers, in another colour."""
    longest = max(stages.values(), default=0.0) or 1.0
    total = sum(stages.values()) or 1.0
    bars = []
    for place, (name, seconds) in enumerate(stages.items()):
        top = 44 + place * (BAR + GAP)
        wide = max(1.0, (WIDTH - LEFT - RIGHT) * seconds / longest)
        colour = "#7a8ba3" if name in OF_THE_RUN else "#2f6f9f"
        bars += [
            f'<text x="{LEFT - 8}" y="{top + 15}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{LEFT}" y="{top}" width="{wide:.1f}" height="{BAR}" fill="{colour}"/>',
            f'<text x="{LEFT + wide + 8:.1f}" y="{top + 15}">{seconds:,.1f} s ({seconds / total:.0%})</text>',
        ]
    return _svg(title, bars, len(stages), "Blue: reading, summed over all workers. Grey: the run itself.")


def _svg(title: str, shapes: Sequence[str], rows: int, key: str) -> str:
    high = 44 + rows * (BAR + GAP) + 28
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{high}" viewBox="0 0 {WIDTH} {high}" '
        f'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/>'
        f'<text x="12" y="24" font-size="15">{escape(title)}</text>{"".join(shapes)}'
        f'<text x="12" y="{high - 12}" fill="#555">{key}</text></svg>'
    )


def as_url(svg: str) -> str:
    """The picture as an address that holds it whole."""
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def drift_picture(series: Mapping[str, Sequence[float]], unusual: Collection[str], title: str) -> str:
    """An SVG of one line a figure over the last runs, oldest first; the newest value of unusual ones is red."""
    left, right = 230, 110
    lines = []
    for place, (name, values) in enumerate(series.items()):
        low, high = min(values), max(values)
        step = (WIDTH - left - right) / max(1, len(values) - 1)
        base = 44 + place * (BAR + GAP) + BAR
        points = [
            (left + at * step, base - BAR * (value - low) / ((high - low) or 1.0)) for at, value in enumerate(values)
        ]
        x, y = points[-1]
        colour = "#c0392b" if name in unusual else "#2f6f9f"
        lines += [
            f'<text x="{left - 8}" y="{base - 4}" text-anchor="end">{escape(name)}</text>',
            f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="none" stroke="#7a8ba3"/>',
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>',
            f'<text x="{WIDTH - right + 12}" y="{base - 4}" fill="{colour}">{values[-1]:,.3g}</text>',
        ]
    return _svg(title, lines, len(series), "The last runs, oldest first. Red: far from what is usual.")
