"""How figures are written in sentences."""

from odoo.tools.misc import formatLang


def number(env, count):
    """:return: a whole number as the reader's language writes it: ``20,000``"""
    return formatLang(env, count, digits=0)
