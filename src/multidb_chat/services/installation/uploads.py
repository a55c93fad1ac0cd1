"""Uploads that wait for a library that is away, in a backup: one file that holds the folders of all of them.

Each is written whole before it gets its name, and never changed until it is removed: what is there can be copied while
everything goes on. Everything here is synchronous.
"""

import shutil
import tarfile
from pathlib import Path

from multidb_chat.domain.errors import StoreCorrupt
from multidb_chat.services.installation.archive import Copy, copy_of


def packed(spool: Path, target: Path) -> Copy | None:
    """Copy the uploads that wait, and those that were refused, into the file `target`; None where there are none."""
    uploads = _uploads(spool)
    if not uploads:
        return None
    with tarfile.open(target, "w") as file:
        for upload in uploads:
            beside = target.with_name("upload")
            try:
                shutil.copytree(upload, beside)
            except (shutil.Error, FileNotFoundError):
                if upload.exists():
                    raise
                continue  # it is in the library now
            else:
                file.add(beside, upload.name)
            finally:
                shutil.rmtree(beside, ignore_errors=True)
    return copy_of(target)


def unpack(packed: Path, spool: Path) -> None:
    """Put the uploads of a backup into the folder `spool` and remove the file; nothing where it has none.

    Raises `StoreCorrupt` for what no spool can hold, and `OSError`.
    """
    if not packed.exists():
        return
    spool.mkdir(mode=0o700)
    try:
        with tarfile.open(packed) as file:
            file.extractall(spool, filter="data")
        for upload in spool.iterdir():
            upload.chmod(0o700)
    except tarfile.TarError as error:
        raise StoreCorrupt("backup", "The uploads in the backup cannot be unpacked: use another backup.") from error
    packed.unlink()


def size_of(spool: Path) -> int:
    """Return the bytes of all uploads."""
    return sum(path.stat().st_size for upload in _uploads(spool) for path in upload.glob("*") if path.is_file())


def _uploads(spool: Path) -> list[Path]:
    if not spool.exists():
        return []
    return sorted(path for path in spool.iterdir() if path.is_dir() and not path.name.startswith("."))
