"""Sphinx settings; ``make docs`` builds without network and treats warnings as errors."""

import logging
import os
import re
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent))  # where gallery.py and formulas.py are

project = "owen-core"
author = copyright = "The owen-core authors"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
    "formulas",
]
exclude_patterns = ["tutorials"]  # the gallery is made from them
html_theme = "furo"
html_title = "owen-core"
html_static_path = ["static"]
html_css_files = ["tutorials.css"]
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "none"  # the docstrings say more
# Of large extras that the reference describes and no tutorial runs.
autodoc_mock_imports = ["faiss", "onnxruntime", "onnxscript", "psycopg", "sentence_transformers"]
autodoc_mock_imports += ["spacy"]
napoleon_custom_sections = [("Attributes", "params_style")]  # of several names in a line, too
suppress_warnings = ["ref.python"]  # several classes have an n, and none is meant by a parameter
napoleon_google_docstring = False
myst_enable_extensions = ["dollarmath"]

sphinx_gallery_conf = {
    "examples_dirs": "tutorials",
    "gallery_dirs": "auto_tutorials",
    "filename_pattern": r"/\d\d_",  # which of them are run: all
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": ("matplotlib", "gallery.show"),
    "image_srcset": ["2x"],
    "ignore_repr_types": r"Plot|Path",  # gallery.show has them
    "abort_on_example_error": True,
    "download_all_examples": False,
    "min_reported_time": float("inf"),  # how long a script took depends on what else was running
    "show_signature": False,
    "write_computation_times": False,
}
# What tutorials print must not depend on what was built before, and not tell of what their reader
# can do nothing about: transformers warns of settings that TRL chose.
_kept = TemporaryDirectory()
os.environ["OSPO_CACHE"] = _kept.name
warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
logging.getLogger("distributed").propagate = False


def name_file_paths(app, what, name, thing, options, lines):
    """Link ``Path`` in a docstring to the file's, not to the coalition structure of that name."""
    for place, line in enumerate(lines):
        if line.startswith(":type "):
            lines[place] = re.sub(r"\bPath\b", "pathlib.Path", line)


def leave_out_settings(app, what, name, thing, options, signature, returns):
    """Give a class with all of TRL's settings a signature that fits on a page."""
    if what == "class" and signature and len(signature) > 2_000:
        return "(**settings)", returns
    return None


def setup(app):
    """Have docstrings and signatures looked through."""
    app.connect("autodoc-process-docstring", name_file_paths, priority=900)  # after napoleon
    app.connect("autodoc-process-signature", leave_out_settings)
