"""A proof of delivery as a PDF, from words and pictures. (pure)

fpdf2 and Pillow are wheels: neither pango nor cairo is needed. The same words, pictures,
date and code give the same bytes. Nothing is written that the words do not hold: no author,
no driver, no position.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Final

import segno
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TableCellFillMode
from fpdf.fonts import FontFace, TTFFont

from missions.proof_glyphs import drawable, shortened
from missions.proof_parts import Fact, IssueTexts, ProofTexts, SignatureTexts, Table
from missions.proof_pictures import Drawn, Pictures
from missions.site_sketch import Sketch, site_sketch
from missions.strokes import lines

FONT: Final = "dejavu"
FONT_FILES: Final = {"": "DejaVuSansCondensed.ttf", "B": "DejaVuSansCondensed-Bold.ttf"}
MARGIN: Final = 15.0
TOP: Final = 12.0
WIDTH: Final = 210.0 - 2 * MARGIN
# Where the foot of a page begins, from its lower edge.
FOOT: Final = 13.0
LINE: Final = 4.4
GAP: Final = 3.0
SKETCH_WIDTH: Final = 58.0
SKETCH_HEIGHT: Final = 33.0
SIGNATURE_WIDTH: Final = 62.0
SIGNATURE_HEIGHT: Final = 24.0
PHOTOS_IN_A_ROW: Final = 4
PHOTO_HEIGHT: Final = 33.0
CAPTION: Final = 5.0
QR_SIDE: Final = 20.0

INK: Final = (20, 24, 28)
GREY: Final = (95, 100, 106)
PALE: Final = (238, 240, 242)
RULE: Final = (190, 195, 200)
WARNING: Final = (150, 60, 0)


@dataclass(frozen=True, slots=True)
class Issue:
    """What makes this copy this one. `verify_url` is what the QR code opens, or empty."""

    texts: IssueTexts
    issued_at: datetime
    code: str
    verify_url: str = ""


def proof_pdf(texts: ProofTexts, pictures: Pictures, issue: Issue, *, fonts: Path) -> bytes:
    """The whole proof, on one page where it fits."""
    sheet = _Sheet(texts, issue, fonts)
    sheet.head()
    sheet.facts(texts.facts, columns=3)
    for sentence in texts.missing:
        sheet.warning(sentence)
    if texts.goods.rows:
        sheet.listing(texts.goods, widths=(96, 24, 30, 30))
        if texts.goods_note:
            sheet.small(texts.goods_note)
    sheet.listing(texts.times, widths=(26, 72, 46, 36))
    sheet.facts(texts.spent, columns=4)
    sheet.stages(texts)
    sheet.heading(texts.signatures_title, keep=sheet.height_of(texts.signatures))
    for signature in texts.signatures:
        sheet.signature(signature, pictures.signatures.get(signature.id, Drawn()))
    if not texts.signatures:
        sheet.small(texts.nobody_signed)
    sheet.photos(texts, pictures.photos)
    sheet.verification()
    return bytes(sheet.output())


class _Sheet(FPDF):
    """A4 pages with our head and foot. Every method begins below what the one before drew."""

    def __init__(self, texts: ProofTexts, issue: Issue, fonts: Path) -> None:
        super().__init__(format="A4", unit="mm")
        self._texts, self._issue = texts, issue
        for style, name in FONT_FILES.items():
            self.add_font(FONT, style, fonts / name)
        self.set_margins(MARGIN, TOP, MARGIN)
        self.set_auto_page_break(True, FOOT)
        self.set_title(f"{texts.title} {issue.texts.number}")
        self.set_lang(texts.locale)
        self.set_creation_date(issue.issued_at)
        self.set_producer("Milepost")
        self.set_draw_color(*RULE)
        self.add_page()

    def footer(self) -> None:
        """On each page, also of one that is torn from the others: what it belongs to."""
        self.set_y(-FOOT + 2)
        self._ink(7, GREY)
        page = self._issue.texts.page.format(page=self.page_no(), pages="{nb}")
        right = f" · {self._texts.title} · {self._issue.texts.number}"
        room = WIDTH * 0.75 - 2 * self.c_margin - self.get_string_width(right)
        employer = shortened(self._texts.employer, room, self.get_string_width)
        self.cell(WIDTH * 0.75, LINE, employer + right)
        self.cell(WIDTH * 0.25, LINE, page, align="R")

    def head(self) -> None:
        self._ink(17, INK, "B")
        self.cell(WIDTH * 0.6, 8, self._texts.title)
        self._ink(13, INK, "B")
        self.cell(
            WIDTH * 0.4, 8, self._issue.texts.number, align="R", new_x="LMARGIN", new_y="NEXT"
        )
        self._ink(8.5, GREY)
        top = self.get_y()
        issued = " · ".join(filter(None, (self._issue.texts.issued, self._issue.texts.replaces)))
        beside = WIDTH * 0.55
        self.multi_cell(beside, 5, self._texts.employer, align="L", new_x="RIGHT", new_y="NEXT")
        below = self.get_y()
        self.set_xy(MARGIN + beside, top)
        self.multi_cell(WIDTH - beside, 5, issued, align="R", new_x="LMARGIN", new_y="NEXT")
        self.set_y(max(below, self.get_y()))
        self.line(MARGIN, self.get_y() + 1, MARGIN + WIDTH, self.get_y() + 1)
        self.ln(3)

    def heading(self, text: str, *, keep: float = 14.0) -> None:
        """A heading that stays with the next `keep` millimetres of what follows."""
        self._keep(6 + keep)
        self._ink(9.5, INK, "B")
        self.cell(WIDTH, 5.5, text, new_x="LMARGIN", new_y="NEXT")

    def small(self, text: str) -> None:
        self._ink(7.5, GREY)
        self.multi_cell(WIDTH, LINE - 0.6, text, align="L", new_x="LMARGIN", new_y="NEXT")
        self.ln(GAP / 2)

    def warning(self, text: str) -> None:
        self._keep(LINE + 2)
        self._ink(8.5, WARNING, "B")
        self.multi_cell(WIDTH, LINE + 0.6, f"⚠ {text}", align="L", new_x="LMARGIN", new_y="NEXT")
        self.ln(GAP / 2)

    def facts(self, facts: Sequence[Fact], *, columns: int) -> None:
        """Labels over values, row by row; a row is as high as its highest value."""
        width = WIDTH / columns
        for begin in range(0, len(facts), columns):
            row = facts[begin : begin + columns]
            self._ink(8.5, INK)
            high = max(self._height(fact.value, width - 3) for fact in row)
            self._keep(3.6 + high)
            top = self.get_y()
            for column, fact in enumerate(row):
                self._fact(fact, MARGIN + column * width, top, width - 3)
            self.set_xy(MARGIN, top + 3.6 + high + 1.2)
        self.ln(GAP / 2)

    def _fact(self, fact: Fact, x: float, y: float, width: float) -> float:
        """Draw one; the y below it."""
        self.set_xy(x, y)
        self._ink(7, GREY)
        self.cell(width, 3.6, fact.label)
        self.set_xy(x, y + 3.6)
        self._ink(8.5, INK)
        self.multi_cell(width, LINE - 0.4, fact.value, align="L", new_x="LEFT", new_y="NEXT")
        return self.get_y()

    def listing(self, table: Table, *, widths: tuple[float, ...]) -> None:
        """Its heading is repeated on each page that it goes over."""
        self.heading(table.title)
        self._rows(table, widths)
        self.ln(GAP)

    def _rows(self, table: Table, widths: tuple[float, ...]) -> None:
        self._ink(8, INK)
        aligns = ["RIGHT" if at in table.numbers else "LEFT" for at in range(len(table.heads))]
        with self._table(widths, aligns) as drawn:
            for cells in (table.heads, *table.rows):
                row = drawn.row()
                for cell in cells:
                    row.cell(cell)

    def _table(self, widths: tuple[float, ...], aligns: list[str]):  # type: ignore[no-untyped-def]
        return self.table(
            width=sum(widths),
            col_widths=widths,
            align="LEFT",
            text_align=tuple(aligns),
            line_height=LINE,
            padding=(0.4, 1, 0.4, 1),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            cell_fill_mode=TableCellFillMode.NONE,
            headings_style=FontFace(emphasis="", color=GREY, fill_color=PALE),
        )

    def stages(self, texts: ProofTexts) -> None:
        """The stages on the left, the sketch of the site beside them."""
        if not texts.stages.rows:
            return
        has_sketch = texts.radius_m is not None
        self.heading(texts.stages.title, keep=(SKETCH_HEIGHT + 10) if has_sketch else 14)
        page, top = self.page_no(), self.get_y()
        widths = (7, 36, 36, 25, 16) if has_sketch else (10, 60, 45, 35, 30)
        self._rows(texts.stages, widths)
        below = self.get_y()
        if texts.radius_m is not None:
            if self.page_no() != page:
                # A table so long that it went over the page: the sketch comes after it.
                self._keep(SKETCH_HEIGHT + 10)
                top = self.get_y() + 2
            drawn = site_sketch(
                texts.radius_m, texts.marks, width=SKETCH_WIDTH, height=SKETCH_HEIGHT
            )
            below = max(self.get_y(), self._sketch(drawn, top, texts.sketch_title))
        self.set_xy(MARGIN, below)
        self.ln(GAP)

    def _sketch(self, sketch: Sketch, top: float, title: str) -> float:
        """Draw it at the right edge; the y below it."""
        left = MARGIN + WIDTH - sketch.width
        y = top + sketch.y
        with self.local_context(draw_color=GREY, fill_color=PALE, line_width=0.3):
            self.circle(left + sketch.x, y, sketch.radius, style="DF")
        with self.local_context(draw_color=INK, fill_color=INK, line_width=0.2):
            self.circle(left + sketch.x, y, 0.5, style="F")
            self.line(left + sketch.x, y, left + sketch.end_x, y)
        for tick in sketch.ticks:
            with self.local_context(draw_color=GREY, line_width=1.1):
                self.line(left + tick.low_x, y, left + tick.high_x, y)
        self._ink(7, INK, "B")
        for tick in sketch.ticks:
            with self.local_context(draw_color=INK, line_width=0.45):
                self.line(left + tick.x, y - 2, left + tick.x, y + 2)
        for label in sketch.labels:
            half = self.get_string_width(label.text) / 2
            self.text(left + label.x - half, top + label.y, label.text)
        self.set_xy(left, top + sketch.height)
        self._ink(7, GREY)
        self.multi_cell(sketch.width, 3.2, title, align="C", new_x="LEFT", new_y="NEXT")
        return self.get_y()

    def height_of(self, signatures: Sequence[SignatureTexts]) -> float:
        """Of the first of them; without one, of the line that says so."""
        if not signatures:
            return LINE
        texts, width = signatures[0], WIDTH - SIGNATURE_WIDTH - 5
        self._ink(8.5, INK)
        short = width / max(1, len(texts.facts)) - 2
        high = 12 + max((self._height(fact.value, short) for fact in texts.facts), default=0)
        high += sum(3.6 + self._height(fact.value, width) for fact in texts.long_facts)
        return max(high, SIGNATURE_HEIGHT)

    def signature(self, texts: SignatureTexts, drawn: Drawn) -> None:
        """What was drawn on the left, who and when beside it."""
        beside = MARGIN + SIGNATURE_WIDTH + 5
        width = WIDTH - SIGNATURE_WIDTH - 5
        short = width / max(1, len(texts.facts)) - 2
        self._keep(self.height_of((texts,)))
        top = self.get_y()
        self.rect(MARGIN, top, SIGNATURE_WIDTH, SIGNATURE_HEIGHT)
        self._draw(drawn, top)
        self.set_xy(beside, top)
        self._ink(10, INK, "B")
        self.cell(width, 5, texts.outcome)
        y = top + 6
        across = [
            self._fact(fact, beside + place * (short + 2), y, short)
            for place, fact in enumerate(texts.facts)
        ]
        y = max(across, default=y) + 0.8
        for fact in texts.long_facts:
            y = self._fact(fact, beside, y, width) + 0.8
        self._ink(6.2, GREY)
        self.set_xy(beside, y)
        self.cell(width, 3.2, texts.hash)
        y += 3.2
        self.set_xy(MARGIN, max(y, top + SIGNATURE_HEIGHT))
        self.ln(GAP)

    def _draw(self, drawn: Drawn, top: float) -> None:
        if drawn.strokes:
            pen = {"draw_color": INK, "line_width": 0.45}
            with self.local_context(**pen):
                found = lines(
                    drawn.strokes, width=SIGNATURE_WIDTH, height=SIGNATURE_HEIGHT, margin=3
                )
                for points in found:
                    # A dot is a line of almost no length.
                    shown = (
                        points
                        if len(points) > 1
                        else [points[0], (points[0][0] + 0.1, points[0][1])]
                    )
                    self.polyline([(MARGIN + x, top + y) for x, y in shown])
        elif drawn.png is not None:
            self.image(
                BytesIO(drawn.png),
                x=MARGIN + 1,
                y=top + 1,
                w=SIGNATURE_WIDTH - 2,
                h=SIGNATURE_HEIGHT - 2,
                keep_aspect_ratio=True,
            )

    def photos(self, texts: ProofTexts, photos: Mapping[str, bytes]) -> None:
        if not texts.photos:
            return
        self.heading(texts.photos_title, keep=PHOTO_HEIGHT + CAPTION)
        width = (WIDTH - GAP * (PHOTOS_IN_A_ROW - 1)) / PHOTOS_IN_A_ROW
        for begin in range(0, len(texts.photos), PHOTOS_IN_A_ROW):
            self._keep(PHOTO_HEIGHT + CAPTION)
            top = self.get_y()
            for column, photo in enumerate(texts.photos[begin : begin + PHOTOS_IN_A_ROW]):
                x = MARGIN + column * (width + GAP)
                self._photo(photos.get(photo.id), x, top, width)
                self.set_xy(x, top + PHOTO_HEIGHT)
                self._ink(7, GREY)
                self.cell(width, CAPTION, photo.caption, align="C")
            self.set_xy(MARGIN, top + PHOTO_HEIGHT + CAPTION + 1)
        if texts.more_photos:
            self.small(texts.more_photos)
        self.ln(GAP / 2)

    def _photo(self, content: bytes | None, x: float, y: float, width: float) -> None:
        if content is None:
            self.rect(x, y, width, PHOTO_HEIGHT)
            self.set_xy(x, y + PHOTO_HEIGHT / 2 - 2)
            self._ink(7.5, WARNING)
            self.cell(width, 4, self._texts.photo_not_there, align="C")
            return
        self.image(BytesIO(content), x=x, y=y, w=width, h=PHOTO_HEIGHT, keep_aspect_ratio=True)

    def verification(self) -> None:
        """The code, what it is for, and what this paper is not."""
        self._keep(QR_SIDE + 4)
        top = self.get_y() + 1
        self.line(MARGIN, top, MARGIN + WIDTH, top)
        width = WIDTH
        if self._issue.verify_url:
            width = WIDTH - QR_SIDE - 5
            self._qr(MARGIN + WIDTH - QR_SIDE, top + 2)
        self.set_xy(MARGIN, top + 2)
        self._ink(7, GREY)
        self.cell(width, 3.6, self._issue.texts.code_label, new_x="LMARGIN", new_y="NEXT")
        self._ink(12, INK, "B")
        self.cell(width, 6, self._issue.code, new_x="LMARGIN", new_y="NEXT")
        self._ink(7.5, INK)
        for text in (self._issue.texts.verify, self._texts.disclaimer):
            self.multi_cell(width, 3.8, text, align="L", new_x="LMARGIN", new_y="NEXT")

    def _qr(self, left: float, top: float) -> None:
        """As dark squares, so that it is sharp at any size."""
        rows = list(segno.make(self._issue.verify_url, error="m", micro=False).matrix)
        side = QR_SIDE / len(rows)
        with self.local_context(fill_color=INK):
            for down, row in enumerate(rows):
                for across, is_dark in enumerate(row):
                    if is_dark:
                        self.rect(left + across * side, top + down * side, side, side, style="F")

    def _height(self, text: str, width: float) -> float:
        return float(
            self.multi_cell(width, LINE - 0.4, text, align="L", dry_run=True, output="HEIGHT")  # type: ignore[arg-type]
        )

    def normalize_text(self, text: str) -> str:
        """Called by fpdf2 with all that is written: in lines of ours, of glyphs that there are."""
        font = self.current_font
        return drawable(text, font.cmap) if isinstance(font, TTFFont) else text

    def _keep(self, height: float) -> None:
        """Begin a new page unless this much fits on the one that is open."""
        if self.will_page_break(height):
            self.add_page()

    def _ink(self, size: float, color: tuple[int, int, int], style: str = "") -> None:
        self.set_font(FONT, style, size)
        self.set_text_color(*color)
