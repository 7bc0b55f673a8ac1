def notification(kind, message, sticky=False, then=None, link=None):
    """Build a client action that shows a notification.

    :param str kind: ``success``, ``info``, ``warning`` or ``danger``
    :param str message: a translated text
    :param bool sticky: whether it stays until the user closes it
    :param dict then: the next action; by default the view is reloaded
    :param tuple link: label and address of a link after the message
    :rtype: dict
    """
    links = []
    if link:
        label, url = link
        # The web client replaces %s by the link.
        message = message.replace("%", "%%") + " %s"
        links = [{"label": label, "url": url}]
    return {
        "type": "ir.actions.client",
        "tag": "display_notification",
        "params": {
            "type": kind,
            "message": message,
            "links": links,
            "sticky": sticky,
            "next": then or {"type": "ir.actions.client", "tag": "soft_reload"},
        },
    }
