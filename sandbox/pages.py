"""The web page."""

from flask import Blueprint

pages = Blueprint("pages", __name__)
