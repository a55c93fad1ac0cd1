"""The folders of an installation on this machine: who uses them, their exchange, their permissions and space."""
