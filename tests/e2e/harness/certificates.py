"""What it is: a certificate authority for one test run, made by openssl."""

import ssl
import subprocess


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Certificates:
    """ca.pem, and server and client certificates that it signed: <name>.pem and <name>.key."""

    def __init__(self, folder):
        self.folder = folder
        openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem",
                "-addext", "basicConstraints=critical,CA:true")
        self.make("server", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        self.make("client", "extendedKeyUsage=clientAuth")

    def make_chain(self):
        """deep.pem and deep.key: a client's, signed by an authority that ca.pem has signed, which comes along."""
        self.make("middle", "basicConstraints=critical,CA:true")
        self.make("deep", "extendedKeyUsage=clientAuth", "middle")
        with open(self.folder / "deep.pem", "a", encoding="ascii") as chain:
            chain.write((self.folder / "middle.pem").read_text())

    def make(self, name, extension, authority="ca"):
        (self.folder / f"{name}.ext").write_text(extension + "\n")
        openssl(self.folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl(self.folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem",
                "-CAkey", f"{authority}.key", "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem")

    def path(self, name):
        return str(self.folder / name)

    def server_settings(self):
        return ["listeners.amqps=127.0.0.1:0", f"tls.certificate_file={self.path('server.pem')}",
                f"tls.key_file={self.path('server.key')}"]

    def client_context(self, with_certificate=False, name="client"):
        context = ssl.create_default_context(cafile=self.path("ca.pem"))
        if with_certificate:
            context.load_cert_chain(self.path(f"{name}.pem"), self.path(f"{name}.key"))
        return context
