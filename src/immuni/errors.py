"""The root of every error that this project raises on purpose."""


class ImmuniError(Exception):
    """Something that the project foresaw went wrong; the message is fit for people.

    Leaves inherit this class and the built-in that fits (``ValueError``, ``PermissionError`` …).
    """
