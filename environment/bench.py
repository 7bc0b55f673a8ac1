"""./dev bench: the measurements in benchmarks/."""

from . import odoo as odoo_command
from .console import complain
from .places import ROOT
from .processes import foreground


def command(args):
    """./dev bench [--quick]"""
    script = ROOT / "benchmarks" / "run.py"
    if not script.exists():
        complain("The benchmarks come with a later version.")
        return 1
    with odoo_command.ready() as odoo:
        return foreground([odoo.python, script, *args], odoo.environ)
