"""What can be wrong with an index, between the modules of this package; none of it leaves the package."""


class Truncated(Exception):
    """A file of vectors is missing, or shorter than what was committed to it."""


class Damaged(Exception):
    """The index cannot be read as what it should be, and is to be built anew."""


class Busy(Exception):
    """Another process is writing, and has been for as long as was to be waited."""
