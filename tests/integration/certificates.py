"""Certificates for tests of TLS, made by openssl in a private directory: an authority, a server's, a client's, and a stranger's
that nobody trusts."""
import os
import subprocess


def _openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class Certificates:
    def __init__(self, folder):
        self.dir = str(folder)
        self._authority("ca")
        self._authority("other-ca")
        for name, by in (("server", "ca"), ("second", "ca"), ("client", "ca"), ("stranger", "other-ca")):
            self._signed(name, by)
        _openssl(self.dir, "ec", "-in", "server.key", "-out", "locked.key", "-aes128", "-passout", "pass:open sesame")

    def __getitem__(self, name):
        """The path of "server.crt" and its like."""
        return os.path.join(self.dir, name)

    def _authority(self, name):
        _openssl(self.dir, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                 "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.crt")

    def _signed(self, name, by):
        _openssl(self.dir, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        _openssl(self.dir, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.crt", "-CAkey", f"{by}.key", "-CAcreateserial",
                 "-days", "30", "-out", f"{name}.crt")

    def options(self, port, **more):
        """Words of a server's command line: tls-port and what it needs; auth_clients="no" and its like replace or add."""
        words = {"port": port, "cert-file": self["server.crt"], "key-file": self["server.key"], "ca-cert-file": self["ca.crt"]}
        words.update({k.replace("_", "-"): v for k, v in more.items()})
        return [w for k, v in words.items() for w in (f"--tls-{k}", str(v))]
