"""The error of a request that is refused."""

from wellposed._errors import WellposedError


class RefusedError(WellposedError):
    """A request breaks a rule; ``status`` is the HTTP status that says of which kind."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status
