"""What keeps a widget that grows from having the screen laid out twice, the longest part of a frame."""

from typing import TYPE_CHECKING

from textual.geometry import Size
from textual.widget import Widget

if TYPE_CHECKING:
    _Base = Widget
else:
    _Base = object  # a first base with styles would hide those of the class behind it


class LaidOutOnce(_Base):
    """Stands before the class of a widget that has no bars to scroll by.

    Textual tells widgets their sizes while it lays out the screen, and lays it out again when what is in one of them
    has grown, for the sake of bars that may have to come or go.
    """

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        return super()._size_updated(size, virtual_size, container_size, layout=False)
