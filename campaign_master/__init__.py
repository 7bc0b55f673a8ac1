from . import client, models, wizard
from .hooks import uninstall_hook
