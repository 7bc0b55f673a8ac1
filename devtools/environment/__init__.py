"""The commands of ./dev, and the setup of Odoo, PostgreSQL and Chromium.

It uses only the standard library of Debian's Python, as it installs everything else.
"""
