"""Leaving a screen at the end of something that took its time."""

from typing import TypeVar

from textual.screen import Screen

T = TypeVar("T")


def leave(screen: Screen[T], result: T) -> None:
    """Dismiss a screen; where somebody has opened another over it meanwhile, when that is gone.

    `Screen.dismiss` takes away whatever is on top.
    """
    if screen.is_active:
        screen.dismiss(result)
        return

    def changed(current: Screen[object]) -> None:
        if current is screen and screen.is_active:
            screen.app.screen_change_signal.unsubscribe(screen)
            screen.dismiss(result)

    screen.app.screen_change_signal.subscribe(screen, changed)
