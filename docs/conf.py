"""The site: `.ci/site` builds it. Nothing in it needs an outside address to be read."""

import os
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

import wellposed  # noqa: E402

project = "wellposed"
author = "the authors of wellposed"
copyright = "the authors of wellposed, Apache-2.0"
version = release = wellposed.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "mathml",
    "pages",
    "reference",
]
exclude_patterns = ["_build", "_ext", "gallery", "**/README.md"]
templates_path = ["_templates"]
# Two records may have a field of one name.
suppress_warnings = ["ref.python"]

# Pages are Markdown with the links that a repository shows; formulas stand between dollars.
myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
myst_heading_anchors = 4
html_math_renderer = "mathml"
smartquotes_action = "De"  # dashes and ellipses; quotes are those of Python

# The reference.
autosummary_generate = True
autosummary_ignore_module_all = False
autosummary_imported_members = True
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "inherited-members": True}
autodoc_typehints = "none"  # docstrings have types and shapes
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_attr_annotations = False
strip_signature_backslash = True  # so that the underscore of a fitted attribute is escaped
add_module_names = False
toc_object_entries_show_parents = "hide"

# The gallery: scripts of docs/gallery, each run at every build.
warnings.filterwarnings("ignore", category=wellposed.WellposedWarning)
sphinx_gallery_conf = {
    "examples_dirs": ["gallery"],
    "gallery_dirs": ["examples"],
    "filename_pattern": r"\.py$",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "image_scrapers": ("pictures",),
    "min_reported_time": 0,
    "plot_gallery": os.environ.get("WELLPOSED_GALLERY", "on") != "off",
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,  # its page would load scripts from outside
}

html_theme = "pydata_sphinx_theme"
html_title = "wellposed"
html_static_path = ["_static"]
html_css_files = ["wellposed.css"]
html_favicon = "_static/favicon.svg"
html_js_files = ["files.js"]
html_show_sourcelink = False
# A list of all names beside each of hundreds of pages would take most of the time.
html_sidebars = {
    page: [] for page in ("reference/names/*", "index", "start/index", "changes/index")
}
html_copy_source = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "header_links_before_dropdown": 8,
    "logo": {"text": "wellposed"},
    "navigation_with_keys": False,
    "pygments_dark_style": "github-dark-high-contrast",
    "pygments_light_style": "a11y-high-contrast-light",
    "show_prev_next": True,
    "show_toc_level": 2,
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
