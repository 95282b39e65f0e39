"""Certificates made by Debian's openssl, for the tests of TLS."""
import os
import subprocess

NAMES = "subjectAltName=IP:127.0.0.1,DNS:localhost"


def run(*words):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True,
                          check=False, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(map(str, words))}\n{done.stderr}")
    return done.stdout


class Authority:
    """A folder with ca.crt, and what it has signed: NAME.crt and NAME.key."""

    def __init__(self, directory, name="Authority"):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", self.path("ca.key"), "-out", self.path("ca.crt"), "-days", 30,
            "-subj", f"/CN={name}")

    def path(self, name):
        return os.path.join(self.directory, name)

    def issue(self, name, common_name=None, days=30, key=("ec", "ec_paramgen_curve:P-256")):
        """days=-1: it has expired."""
        algorithm, option = key
        request, extensions = self.path(f"{name}.csr"), self.path(f"{name}.ext")
        run("req", "-new", "-newkey", algorithm, "-pkeyopt", option, "-nodes",
            "-keyout", self.path(f"{name}.key"), "-out", request,
            "-subj", f"/CN={common_name or name}")
        with open(extensions, "w", encoding="ascii") as file:
            file.write(NAMES + "\n")
        run("x509", "-req", "-in", request, "-CA", self.path("ca.crt"),
            "-CAkey", self.path("ca.key"), "-CAcreateserial", "-days", days,
            "-extfile", extensions, "-out", self.path(f"{name}.crt"))
        return self

    def directives(self, **others):
        """What a server needs to use the certificate named `server`."""
        return {"tls-cert-file": self.path("server.crt"), "tls-key-file": self.path("server.key"),
                "tls-ca-cert-file": self.path("ca.crt"), **others}
