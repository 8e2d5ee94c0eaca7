#!/usr/bin/python3
"""What a scanner finds on the client port: TLS 1.2 and 1.3, nothing that is
weak. Skipped (exit status 77) where Debian's sslscan is not installed.

    tls_scan_test.py PARLEY
"""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import warnings
import xml.etree.ElementTree as xml

from parley_system import DOMAIN, PATIENCE, Server, SystemTest, main

SKIPPED = 77  # CMakeLists.txt tells it to ctest
SECURITY_BITS_MIN = 112  # of the certificate's key
CIPHER_BITS_MIN = 128

# All that there is to be; TLS 1.2's stands once for each kind of key.
TLS13 = {
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
}
TLS12 = {
    "ECDHE-{}-AES128-GCM-SHA256",
    "ECDHE-{}-AES256-GCM-SHA384",
    "ECDHE-{}-CHACHA20-POLY1305",
}
GROUPS = {"x25519", "secp256r1 (NIST P-256)", "secp384r1 (NIST P-384)"}


def scan(server):
    done = subprocess.run(
        ["sslscan", "--no-colour", "--ocsp", "--show-sigs", "--xml=-"]
        + [f"--sni-name={DOMAIN}", server.address],
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE,
        check=True,
    )
    # Its words for people come before.
    return xml.fromstring(done.stdout[done.stdout.index("<document") :])


class ScanTest(SystemTest):
    """One run with the certificate that the server makes, one with RSA."""

    @classmethod
    def setUpClass(cls):
        cls.servers, cls.scans = {}, {}
        for key, arguments in (("ECDSA", []), ("RSA", cls.rsa())):
            server = Server(cls.parley, *arguments, plain=False)
            cls.addClassCleanup(server.remove)
            cls.servers[key] = server
            cls.scans[key] = scan(server)

    @classmethod
    def rsa(cls):
        """Arguments of a server that shows such a certificate."""
        holder = Server(cls.parley)
        cls.addClassCleanup(holder.remove)
        paths = [os.path.join(holder.folder, x) for x in ("c.pem", "k.pem")]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"]
            + ["-days", "2", "-subj", f"/CN={DOMAIN}"]
            + ["-out", paths[0], "-keyout", paths[1]],
            check=True,
            capture_output=True,
            timeout=PATIENCE,
        )
        text = "certificate = '{}'\nkey = '{}'\n".format(*paths)
        return ["--config", holder.file("rsa.toml", text)]

    def found(self, name):
        """Elements of that name, each with the kind of key."""
        for key, document in self.scans.items():
            elements = list(document.iter(name))
            self.assertNotEqual(elements, [], f"nothing of {name} for {key}")
            for element in elements:
                yield key, element

    def test_the_versions_are_1_2_and_1_3(self):
        for key in self.scans:
            said = {
                (x.get("type"), x.get("version")): x.get("enabled")
                for of, x in self.found("protocol")
                if of == key
            }
            self.assertEqual(
                said,
                {
                    ("ssl", "2"): "0",
                    ("ssl", "3"): "0",
                    ("tls", "1.0"): "0",
                    ("tls", "1.1"): "0",
                    ("tls", "1.2"): "1",
                    ("tls", "1.3"): "1",
                },
            )

    def test_all_ciphers_have_forward_secrecy_and_authenticate(self):
        ciphers = list(self.found("cipher"))
        for key in self.scans:
            for version, wanted in (
                ("TLSv1.3", TLS13),
                ("TLSv1.2", {x.format(key) for x in TLS12}),
            ):
                names = {
                    x.get("cipher")
                    for of, x in ciphers
                    if of == key and x.get("sslversion") == version
                }
                self.assertEqual(names, wanted, (key, version))
        for key, x in ciphers:
            self.assertIn(x.get("sslversion"), ("TLSv1.2", "TLSv1.3"))
            self.assertGreaterEqual(int(x.get("bits")), CIPHER_BITS_MIN)
            self.assertNotIn(x.get("strength"), ("weak", "null", "anonymous"))

    def test_the_groups_are_those_that_are_named(self):
        for key, x in self.found("group"):
            self.assertIn(x.get("name"), GROUPS, key)

    def test_no_renegotiation_compression_or_heartbleed(self):
        for key, x in self.found("renegotiation"):
            self.assertEqual(x.get("supported"), "0", key)
        for key, x in self.found("heartbleed"):
            self.assertEqual(x.get("vulnerable"), "0", key)
        for document in self.scans.values():
            # Absent where the scanner cannot try.
            for x in document.iter("compression"):
                self.assertEqual(x.get("supported"), "0")

    def test_the_certificates_key_is_strong_enough(self):
        for key, x in self.found("pk"):
            self.assertEqual(x.get("error"), "false", key)
            bits = int(x.get("bits"))
            least = SECURITY_BITS_MIN if key == "ECDSA" else 2048
            self.assertGreaterEqual(bits, least, key)
        for key, x in self.found("signature-algorithm"):
            self.assertIn("sha256", x.text.lower(), key)

    # -- what the scanner does not try

    def wrapped(self, key="ECDSA", **of_context):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            for name, value in of_context.items():
                setattr(context, name, value)
        server = self.servers[key]
        bare = socket.create_connection((server.host, server.port), PATIENCE)
        try:
            secured = context.wrap_socket(bare)
        except BaseException:
            bare.close()
            raise
        self.addCleanup(secured.close)
        return secured

    def test_no_session_is_kept_and_nothing_is_compressed(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            secured = self.wrapped(maximum_version=version)
            secured.sendall(b"PARLEY\x01\n")
            self.assertIsNone(secured.compression())
            self.assertFalse(secured.session and secured.session.has_ticket)
            self.assertFalse(secured.session_reused)

    def test_a_client_cannot_renegotiate(self):
        server = self.servers["ECDSA"]
        # "R" at the beginning of a line asks for it.
        client = subprocess.Popen(
            ["openssl", "s_client", "-tls1_2", "-connect", server.address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said = b""
        while b"Verify return code" not in said:
            line = client.stdout.readline()
            self.assertNotEqual(line, b"", said)
            said += line
        client.stdin.write(b"R\n")
        client.stdin.flush()
        said, _ = client.communicate(timeout=PATIENCE)
        self.assertIn(b"RENEGOTIATING", said)
        self.assertIn(b"no renegotiation", said)

    def test_one_that_offers_less_gets_no_handshake(self):
        # The oldest that this OpenSSL can speak at all, and a suite without
        # forward secrecy.
        with self.assertRaises(OSError):
            self.wrapped(
                minimum_version=ssl.TLSVersion.TLSv1,
                maximum_version=ssl.TLSVersion.TLSv1_1,
            )
        server = self.servers["RSA"]
        for suite in (
            "AES128-GCM-SHA256",
            "ECDHE-RSA-AES128-SHA",
            "DES-CBC3-SHA",
        ):
            done = subprocess.run(
                ["openssl", "s_client", "-tls1_2", "-connect", server.address]
                + ["-cipher", f"{suite}:@SECLEVEL=0"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
            self.assertNotEqual(done.returncode, 0, suite)
            self.assertNotIn(f"Cipher is {suite}", done.stdout)


if __name__ == "__main__":
    if not shutil.which("sslscan"):
        print("skipped: sslscan is not here (apt install sslscan)")
        sys.exit(SKIPPED)
    main()
