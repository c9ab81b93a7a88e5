"""The page of many explained queries: which to look at first, and what harms them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ospo.report.swarm import swarms
from ospo.report.template import render
from ospo.worklist import Overview, Row


def worklist_page(
    rows: Sequence[Row],
    settings: Mapping[str, str | int | None],
    *,
    command: str,
    notes: Sequence[str] = (),
) -> str:
    """Return the page of a worklist, one self-contained HTML file.

    Each query links to ``pages/KEY.html``. The only script sorts the queries anew.

    Parameters
    ----------
    rows : sequence of Row
    settings : mapping
        What they were computed with.
    command : str
        What goes on with the worklist, or makes it again.
    notes : sequence of str
        What was left out when the queries were read.

    Examples
    --------
    >>> failed = Row("1f", "q1", "sofa", "no product is relevant", None)
    >>> page = worklist_page([failed], {"metric": "RR"}, command="ospo explain --queries all")
    >>> page.startswith("<!doctype html>"), "no product is relevant" in page
    (True, True)
    """
    overview = Overview.of(rows)
    return render(
        "worklist.html",
        heading="Which queries to look at first",
        overview=overview,
        swarms=swarms(overview.credits()),
        harmful=overview.harmful(),
        settings=settings,
        command=command,
        notes=notes,
    )
