"""A picture of where a run's time went: one bar a stage, as SVG that needs nothing else."""

from base64 import b64encode
from collections.abc import Mapping
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
    high = 44 + len(stages) * (BAR + GAP) + 28
    key = "Blue: reading, summed over all workers. Grey: the run itself."
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{high}" viewBox="0 0 {WIDTH} {high}" '
        f'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/>'
        f'<text x="12" y="24" font-size="15">{escape(title)}</text>{"".join(bars)}'
        f'<text x="12" y="{high - 12}" fill="#555">{key}</text></svg>'
    )


def as_url(svg: str) -> str:
    """The picture as an address that holds it whole."""
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()
