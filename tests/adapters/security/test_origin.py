"""From where the program is used."""

import pytest

from multidb_chat.adapters.security.origin import origin


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "local"),
        ({"SSH_CONNECTION": ""}, "local"),
        ({"SSH_CONNECTION": "203.0.113.7 50022 192.0.2.1 22"}, "ssh 203.0.113.7"),
        ({"SSH_CONNECTION": "2001:db8::1 50022 2001:db8::2 22"}, "ssh 2001:db8::1"),
    ],
)
def test_who_came_by_ssh_came_from_an_address(environ: dict[str, str], expected: str):
    assert origin(environ) == expected
