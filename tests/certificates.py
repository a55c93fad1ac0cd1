"""Certificates for servers of a test's own, made by openssl."""

import shutil
import subprocess
from pathlib import Path

import pytest

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


class Certificates:
    """An authority (`ca.pem`), and what it signed: `server` for an address, `other` for another name, and `client`."""

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        self.folder = folder
        key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        self._openssl(f"req -x509 {key} -days 2 -subj /CN=ca -keyout ca.key -out ca.pem")
        for name, names in (("server", f"IP:{address}"), ("other", "DNS:other.example"), ("client", "DNS:client")):
            self._openssl(f"req {key} -subj /CN={name} -keyout {name}.key -out {name}.csr")
            (folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
            signed = f"-in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile {name}.ext -out {name}.pem"
            self._openssl(f"x509 -req -days 2 {signed}")

    def _openssl(self, arguments: str) -> None:
        subprocess.run(["openssl", *arguments.split()], cwd=self.folder, check=True, capture_output=True)
