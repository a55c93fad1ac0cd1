"""The app's own themes.

Text has a contrast of 4.5:1 or more (WCAG 2.2, 1.4.3), of 7:1 or more (1.4.6) in the high contrast one. A test
measures it on the screens as they are drawn.
"""

from textual.theme import Theme

THEMES = (
    Theme(
        name="ink",
        primary="#7fb4ca",
        secondary="#957fb8",
        accent="#e6c384",
        foreground="#dcd7ba",
        background="#16161d",
        surface="#1f1f28",
        panel="#2a2a37",
        success="#98bb6c",
        warning="#ffa066",
        error="#e82424",
        dark=True,
    ),
    Theme(
        name="paper",
        primary="#1f5f8b",
        secondary="#6b4c9a",
        accent="#8a5000",
        foreground="#22201c",
        background="#fbf8f1",
        surface="#f3eee2",
        panel="#e7dfcd",
        success="#2f6b2f",
        warning="#8a5000",
        error="#b00020",
        dark=False,
    ),
    Theme(
        name="high-contrast",
        primary="#00ffff",
        secondary="#ffff00",
        accent="#ffff00",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#1a1a1a",
        success="#00ff00",
        warning="#ffff00",
        error="#ff8080",
        dark=True,
    ),
)

NAMES = tuple(theme.name for theme in THEMES)


def next_theme(current: str) -> str:
    """Return the theme after `current` in the app's own order."""
    return NAMES[(NAMES.index(current) + 1) % len(NAMES)] if current in NAMES else NAMES[0]
