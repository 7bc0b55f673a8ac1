"""Error responses of the sandbox."""


class ApiError(Exception):
    """A response with a status of 400 or above: ``{"message"}``, with ``errors`` for a 400."""

    def __init__(self, status: int, message: str, errors: dict[str, str] | None = None):
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        """Messages by member."""

    def body(self) -> dict:
        if self.status == 200:  # a refused login
            return {"Status": "-1", "StatusMessage": self.message}
        body = {"message": self.message}
        if self.status == 400:
            body["errors"] = [
                {"field": field, "message": message}
                for field, message in (self.errors or {}).items()
            ]
        return body
