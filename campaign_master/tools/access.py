from odoo.exceptions import AccessError

MARKETING_GROUP = "mass_mailing.group_mass_mailing_user"
ADMINISTRATOR_GROUP = "base.group_system"


def check_marketing_user(env):
    """Check that the user may work with Campaign Master; superuser code may.

    :raise AccessError: the user has no access to Email Marketing
    """
    if not env.su and not env.user.has_group(MARKETING_GROUP):
        raise AccessError(
            env._(
                "You need access to Email Marketing to work with Campaign Master. Nothing was "
                "changed. Ask your administrator for access."
            )
        )


def check_administrator(records):
    """Check that the user may test, check or record what an account sends and receives.

    :param records: the account, or what belongs to it
    :raise AccessError: the user is not an administrator of the account's company
    """
    env = records.env
    if not env.user.has_group(ADMINISTRATOR_GROUP):
        raise AccessError(
            env._(
                "Only an administrator can test, check or record the connection to Campaign "
                "Master. Nothing was changed."
            )
        )
    records.check_access("read")
