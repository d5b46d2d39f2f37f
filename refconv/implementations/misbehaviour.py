"""What an implementation was caught at, raised by those who watch it."""


class MisbehaviourError(Exception):
    """A call that ended otherwise than by a result, and how the outcome is called.

    Not a RefconvError: it is no mistake of the user, and it never leaves a session.

    Attributes
    ----------
    status : str
        ``FAIL`` for something forbidden, ``REJECTED`` or ``ERROR`` for what it said itself.

    Examples
    --------
    >>> MisbehaviourError("wrote 8 bytes past the end of y").status
    'FAIL'
    """

    def __init__(self, message: str, status: str = "FAIL") -> None:
        super().__init__(message)
        self.status = status
