def notification(kind, message, sticky=False, then=None):
    """Build a client action that shows a notification.

    :param str kind: ``success``, ``info``, ``warning`` or ``danger``
    :param str message: a translated text
    :param bool sticky: whether it stays until the user closes it
    :param dict then: the next action; by default the view is reloaded
    :rtype: dict
    """
    return {
        "type": "ir.actions.client",
        "tag": "display_notification",
        "params": {
            "type": kind,
            "message": message,
            "sticky": sticky,
            "next": then or {"type": "ir.actions.client", "tag": "soft_reload"},
        },
    }
