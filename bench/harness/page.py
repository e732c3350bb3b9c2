"""A page of Markdown of which a part, between two marks, is written by a program."""

import re
import textwrap

COLUMNS = 120


def wrapped(text):
    """The lines of a paragraph, or of one item of a list."""
    return textwrap.wrap(text, COLUMNS, subsequent_indent="  " if text.startswith("- ") else "", break_long_words=False,
                         break_on_hyphens=False)


def replace(path, begin, end, lines):
    """Writes `lines` between the marks, which stay."""
    text = path.read_text()
    if begin not in text or end not in text:
        raise SystemExit(f"run: {path} has lost its marks: {begin} and {end}")
    before, _, rest = text.partition(begin)
    written = re.sub(r"\n{3,}", "\n\n", "\n".join([begin, "", *lines, "", end]))
    path.write_text(before + written + rest.partition(end)[2])
