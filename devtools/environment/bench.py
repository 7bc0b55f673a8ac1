"""./dev bench: run the benchmarks."""

from . import odoo as odoo_command
from .processes import foreground


def command(args):
    """./dev bench [--quota] [--quick]"""
    module = "devtools.benchmarks.quota" if "--quota" in args else "devtools.benchmarks.run"
    with odoo_command.ready() as odoo:
        return foreground([odoo.python, "-P", "-m", module, *args], odoo.environ)
