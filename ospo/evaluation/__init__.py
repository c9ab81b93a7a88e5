"""Evaluation of query writers: systems x retrievers x metrics, with paired tests."""

from ospo.evaluation.difference import Difference
from ospo.evaluation.evaluation import Evaluation, evaluate
from ospo.evaluation.system import System, load_system

__all__ = ["Difference", "Evaluation", "System", "evaluate", "load_system"]
