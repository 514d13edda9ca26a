"""The figures, for people."""

from collections.abc import Sequence
from typing import Any

Figures = dict[str, Any]


def table(figures: Figures) -> str:
    """Return the figures for people."""
    processor = figures["machine"]
    lines = [f"{processor['processor']}: {' '.join(processor['features'])}"]
    for name in ("all intervals", "two threads", "40 in 100 intervals"):
        bound, *engine = figures[name]
        lines += ["", f"{name:<20}{'keys/s':>9}  {'least…most':<19}{'of processor':>13}"]
        lines[-1] += "  bytes  index"
        lines += [f"  {'bound':<18}{rate(bound)}"]
        lines += [
            f"  {one['sightings']:<18}{rate(one)}"
            f"  {one['bytes_per_sighting']:5.1f}  {one['build_seconds'] * 1000:4.0f} ms"
            for one in engine
        ]
    lines += ["", f"{'of processor time':<20}{'of the bound':<14}{'reference':<40}NumPy"]
    bound, *engine = figures["all intervals"]
    for one, compared in zip(engine, figures["python"], strict=True):
        mine = one["keys_per_processor_second"]
        lines.append(
            f"  {one['sightings']:<18}× {mine / bound['keys_per_processor_second']:<12.2f}"
            f"{ratio(mine, compared, 'reference'):<40}{ratio(mine, compared, 'numpy')}"
        )
    whole = figures["whole file"]
    lines += [
        "",
        (
            f"whole file          {whole['keys_per_second']:9.0f} keys/s from disk to matches,"
            f" parser alone {whole['parsed_keys_per_second']:.0f} keys/s"
        ),
        (
            f"                    {whole['memory_bytes'] / 1e6:9.1f} MB for a file of"
            f" {whole['file_bytes'] / 1e6:.1f} MB"
        ),
    ]
    if figures["instructions"] is None:
        lines.append("instructions        not counted: want --instructions, and valgrind")
    for one in figures["instructions"] or []:
        name = one["sightings"] or "bound"
        lines.append(f"instructions  {name:<10} {one['instructions_per_key']:9.0f} for a key")
    return "\n".join(lines)


def rate(one: Figures) -> str:
    """Return a rate, its spread, and the rate in a second of the first thread's processor time."""
    spread = f"{one['least']:.0f}…{one['most']:.0f}"
    return f"{one['keys_per_second']:9.0f}  {spread:<19}{one['keys_per_processor_second']:13.0f}"


def ratio(engine: float, compared: Figures, name: str) -> str:
    """Return a rate of Python's, its spread, and how often it fits into the engine's."""
    rate = compared[f"{name}_keys_per_second"]
    spread = f"{compared[f'{name}_least']:.0f}…{compared[f'{name}_most']:.0f}"
    return f"{rate:.0f}/s  {spread}  × {engine / rate:.0f}"


def plot(measured: Sequence[Figures]) -> str:
    """Draw keys in a second of processor time over the number of sightings, as SVG."""
    bound, *engine = measured
    top = max(one["keys_per_processor_second"] for one in measured) * 1.1
    step = 440 / max(len(engine) - 1, 1)
    points = [
        (100 + step * place, 260 - 230 * one["keys_per_processor_second"] / top)
        for place, one in enumerate(engine)
    ]
    height = 260 - 230 * bound["keys_per_processor_second"] / top
    line = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
    marks = [
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="#0059b3"/>'
        f'<text x="{x:.0f}" y="{y + 22:.0f}" text-anchor="middle">'
        f"{one['keys_per_processor_second'] / 1000:.0f}</text>"
        f'<text x="{x:.0f}" y="282" text-anchor="middle">{one["sightings"]:,}</text>'
        for one, (x, y) in zip(engine, points, strict=True)
    ]
    return "\n".join(
        [
            (
                '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 310" font-size="13"'
                ' font-family="sans-serif" role="img">'
            ),
            "<title>Thousands of keys in a second of processor time, over sightings</title>",
            '<rect width="640" height="310" fill="#ffffff"/>',
            '<path d="M60 30V260H600" fill="none" stroke="#666666"/>',
            f'<path d="M60 {height:.0f}H600" stroke="#666666" stroke-dasharray="5 4"/>',
            (
                f'<text x="600" y="{height - 6:.0f}" text-anchor="end">derivation and encryption'
                f" alone: {bound['keys_per_processor_second'] / 1000:.0f}</text>"
            ),
            f'<polyline points="{line}" fill="none" stroke="#0059b3" stroke-width="2"/>',
            *marks,
            '<text x="60" y="20">thousands of keys in a second of processor time</text>',
            '<text x="600" y="302" text-anchor="end">sightings</text>',
            "</svg>\n",
        ]
    ).replace(",000", " 000")
