"""Sphinx settings; ``make docs`` builds without network and treats warnings as errors."""

project = "owen-core"
author = "The owen-core authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
html_theme = "furo"
html_title = "owen-core"
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say more
napoleon_use_ivar = True
suppress_warnings = ["ref.python"]  # several classes have an n, and none is meant by a parameter
napoleon_google_docstring = False
myst_enable_extensions = ["dollarmath"]
