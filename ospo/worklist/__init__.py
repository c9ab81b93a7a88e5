"""Many queries explained: a row for each as it finishes, in a folder that a later run goes on."""

from ospo.worklist.executors import EXECUTORS, open_executor
from ospo.worklist.folder import Worklist
from ospo.worklist.kinds import Kinds
from ospo.worklist.overview import Overview
from ospo.worklist.row import Row, Summary, summarize

__all__ = [
    "EXECUTORS",
    "Kinds",
    "Overview",
    "Row",
    "Summary",
    "Worklist",
    "open_executor",
    "summarize",
]
