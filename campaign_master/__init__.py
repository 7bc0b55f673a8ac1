from . import client, models, wizard
