def notification(kind, message, sticky=False, then=None):
    """A client action that tells the user something, and then goes on.

    :param str kind: ``success``, ``info``, ``warning`` or ``danger``
    :param str message: a translated sentence
    :param bool sticky: stays until it is closed
    :param dict then: the action that follows; by default what is shown is read anew
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
