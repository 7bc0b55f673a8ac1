"""What ./dev uses to get Odoo, PostgreSQL and Chromium onto a machine and to work with them.

It runs in Debian's own Python with nothing but the standard library, because it is what
fetches everything else.
"""
