"""`python -m multidb_chat`."""

from multidb_chat.cli.main import main

if __name__ == "__main__":
    main()
