"""The drawn map: what is north is above, all of it is on the paper, and names are only names."""

import re

import pytest

from tracking.svg_map import HEIGHT, LEAST_DEGREES, WIDTH, Dot, Line, svg_map, view_of, within

GHENT, ANTWERP, BRUSSELS = (51.05, 3.72), (51.22, 4.40), (50.85, 4.35)


def test_every_point_is_on_the_paper_and_north_is_above() -> None:
    view = view_of([GHENT, ANTWERP, BRUSSELS])
    assert view is not None
    (ghent_x, ghent_y), (antwerp_x, antwerp_y), (_, brussels_y) = map(
        view.place, [GHENT, ANTWERP, BRUSSELS]
    )
    assert ghent_x < antwerp_x
    assert antwerp_y < ghent_y < brussels_y
    assert all(view.shows(point) for point in (GHENT, ANTWERP, BRUSSELS))
    assert not view.shows((48.86, 2.35))


def test_one_point_is_in_the_middle_of_some_kilometres() -> None:
    view = view_of([GHENT])
    assert view is not None
    assert view.place(GHENT) == pytest.approx((WIDTH / 2, HEIGHT / 2))
    assert view.shows((51.05 + LEAST_DEGREES / 3, 3.72))
    assert not view.shows((51.05 + 2 * LEAST_DEGREES, 3.72))


def test_without_points_there_is_no_map() -> None:
    assert view_of([]) is None


def test_a_border_is_cut_to_its_runs_near_the_paper() -> None:
    view = view_of([GHENT])
    assert view is not None
    far, near = (52.0, 3.72), (51.05, 3.721)
    runs = list(within(view, [Line("border", [far, far, GHENT, near, far, far, GHENT, near])]))
    assert [run.points for run in runs] == [[far, GHENT, near, far], [far, GHENT, near]]
    assert list(within(view, [Line("border", [far, far])])) == []


def test_a_name_cannot_become_markup() -> None:
    view = view_of([GHENT])
    assert view is not None
    drawn = svg_map("<b>", view, [], [Dot("moving", GHENT, '<script>"&')])
    assert "<script>" not in drawn
    assert "<title>&lt;b&gt;</title>" in drawn
    assert "&lt;script&gt;&quot;&amp;" in drawn


def test_lines_lie_under_dots_and_carry_no_style() -> None:
    view = view_of([GHENT, ANTWERP])
    assert view is not None
    drawn = svg_map("x", view, [Line("driven", [GHENT, ANTWERP])], [Dot("place", BRUSSELS, "B")])
    assert drawn.index("polyline") < drawn.index("<g")
    assert len(re.findall(r"[\d.]+,[\d.]+", drawn)) == 2
    assert "style" not in drawn
    assert "circle" not in drawn
