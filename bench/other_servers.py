"""Other servers of XMPP, as Debian has them: installed, configured for a
comparison and started on temporary folders. Used by xmpp_servers."""

import base64
import glob
import hashlib
import hmac
import os
import pwd
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

DOMAIN = "example.org"
PASSWORD = "bench"
# Those of `strangers` know nobody, those of `ring` their neighbours.
STRANGERS = "bench"
RING = "ring"

# Keys of all accounts, made once, as parley-bench has them at Parley: what
# deriving them costs is no server's work in any of these.
SALT = b"parley-bench salt"
ITERATIONS = 4096

START_SECONDS = 60
STOP_SECONDS = 30
IMPORT_SECONDS = 300

PACKAGES = ["prosody", "lua-event", "ejabberd"]


def say(text):
    print(text, file=sys.stderr, flush=True)


# -- installing ---------------------------------------------------------------

def version_of(package):
    """Of an installed package, else None."""
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Status} ${Version}", package],
        capture_output=True, text=True, check=False)
    installed, _, version = done.stdout.rpartition(" ")
    return version if installed.endswith(" installed") else None


def install():
    missing = [p for p in PACKAGES if not version_of(p)]
    if not missing:
        return
    if os.geteuid() != 0:
        sys.exit("xmpp_servers: root is needed to install "
                 + " ".join(missing))
    say("installing " + " ".join(missing))
    policy = "/usr/sbin/policy-rc.d"
    ours = not os.path.exists(policy)
    if ours:
        # Debian starts services when they are installed, unless this says no.
        with open(policy, "w", encoding="ascii") as out:
            out.write("#!/bin/sh\nexit 101\n")
        os.chmod(policy, 0o755)
    try:
        subprocess.run(
            ["apt-get", "install", "-y", "--no-install-recommends", *missing],
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdout=subprocess.DEVNULL, check=True)
    finally:
        if ours:
            os.remove(policy)


# -- accounts -----------------------------------------------------------------

def scram_keys():
    """Stored key and server key for SCRAM-SHA-1 (RFC 5802, 3)."""
    salted = hashlib.pbkdf2_hmac("sha1", PASSWORD.encode(), SALT, ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha1")
    return hashlib.sha1(client).digest(), hmac.digest(
        salted, b"Server Key", "sha1")


def accounts(settings):
    """Names, and the numbers of those of `ring` who know each other, as
    `acquaintances::ring` has it."""
    for i in range(settings.strangers):
        yield f"{STRANGERS}{i}", []
    reach = settings.contacts // 2
    for i in range(settings.users):
        yield f"{RING}{i}", [
            f"{RING}{(i + step) % settings.users}@{DOMAIN}"
            for step in range(-reach, reach + 1) if step]


# -- servers ------------------------------------------------------------------

class Server:
    """One that is not Parley. `prepare` makes its accounts, once; `start` runs
    it on a copy of what that left."""

    user = None

    def __init__(self, root, settings):
        self.folder = tempfile.mkdtemp(prefix=f"{self.name}-", dir=root)
        self.settings = settings
        self.process = None
        self.output = None

    def run_as(self):
        if os.geteuid() != 0:
            return {}
        owner = pwd.getpwnam(self.user)
        return {"user": owner.pw_uid, "group": owner.pw_gid,
                "extra_groups": []}

    def give(self, path):
        """To the server's own user."""
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", f"{self.user}:", path], check=True)

    def spawn(self, words, folder, environment):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self.output = open(f"{self.folder}/output", "ab")
        return subprocess.Popen(
            words, cwd=folder, stdin=subprocess.DEVNULL, stdout=self.output,
            stderr=self.output,
            env={"PATH": os.environ["PATH"], "HOME": folder, **environment},
            preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_NOFILE, (limit, limit)),
            **self.run_as())

    def start(self):
        """Returns its address and the id of its process."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        folder = f"{self.folder}/running"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(f"{self.folder}/prepared", folder)
        self.configure(folder, port)
        self.give(self.folder)
        self.process = self.launch(folder)
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(
                        f"{self.name} does not start:\n{self.log()}") from None
                time.sleep(0.1)
        # What it does once after its start is not measured.
        time.sleep(self.settings.rest)
        return f"127.0.0.1:{port}", self.process.pid

    def log(self):
        with open(f"{self.folder}/output", encoding="utf-8",
                  errors="replace") as text:
            return text.read()[-4000:]

    def stop(self):
        if not self.process:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
        self.output.close()


class Prosody(Server):
    """Accounts and contacts are written as its internal storage has them."""

    name = "prosody"
    user = "prosody"

    CONFIGURATION = """
daemonize = false
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
modules_enabled = {{ "disco"; "roster"; "saslauth"; "blocklist"; "carbons";
  "pep"; "private"; "smacks"; "vcard4"; "vcard_legacy"; "csi_simple"; "ping";
  "time"; "version"; "uptime" }}
modules_disabled = {{ "s2s"; "tls" }}
c2s_interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_require_encryption = false
authentication = "internal_hashed"
storage = "internal"
log = {{ warn = "*console" }}
VirtualHost "{domain}"
"""

    @staticmethod
    def describe():
        return version_of("prosody")

    def prepare(self):
        host = DOMAIN.replace(".", "%2e")
        data = f"{self.folder}/prepared/data/{host}"
        os.makedirs(f"{data}/accounts")
        os.makedirs(f"{data}/roster")
        stored, server = scram_keys()
        account = (
            f'return {{ ["stored_key"] = "{stored.hex()}"; '
            f'["server_key"] = "{server.hex()}"; '
            f'["salt"] = "{SALT.decode()}"; '
            f'["iteration_count"] = {ITERATIONS}; }};\n')
        for name, contacts in accounts(self.settings):
            with open(f"{data}/accounts/{name}.dat", "w",
                      encoding="ascii") as out:
                out.write(account)
            if not contacts:
                continue
            with open(f"{data}/roster/{name}.dat", "w",
                      encoding="ascii") as out:
                out.write('return { [false] = { ["version"] = 1; '
                          '["pending"] = {}; };\n')
                for contact in contacts:
                    out.write(f'["{contact}"] = {{ ["subscription"] = "both"; '
                              '["groups"] = { ["bench"] = true; }; };\n')
                out.write("};\n")

    def configure(self, folder, port):
        with open(f"{folder}/prosody.cfg.lua", "w", encoding="ascii") as out:
            out.write(self.CONFIGURATION.format(
                folder=folder, port=port, domain=DOMAIN))

    def launch(self, folder):
        return self.spawn(
            ["/usr/bin/prosody", "--config", f"{folder}/prosody.cfg.lua"],
            folder, {})


class Ejabberd(Server):
    """Accounts and contacts are imported by its own command for XEP-0227, in a
    process of their own, so that what that leaves in memory is not measured."""

    name = "ejabberd"
    user = "ejabberd"

    CONFIGURATION = """
loglevel: warning
hosts:
  - {domain}
listen:
  -
    port: {port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
auth_method: mnesia
auth_password_format: scram
default_db: mnesia
shaper_rules:
  max_user_sessions: 10
  max_user_offline_messages: 1000
modules:
  mod_adhoc: {{}}
  mod_blocking: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_client_state: {{}}
  mod_disco: {{}}
  mod_last: {{}}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_private: {{}}
  mod_pubsub:
    plugins:
      - flat
      - pep
  mod_roster:
    versioning: true
  mod_stream_mgmt:
    resend_on_timeout: if_offline
  mod_vcard:
    search: false
  mod_vcard_xupdate: {{}}
  mod_version: {{}}
"""
    # As its own script has it, but for the last: schedulers that wait busily
    # would be taken for work.
    MACHINE = ["+K", "true", "+P", "250000",
               "+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"]

    @staticmethod
    def describe():
        return (f"{version_of('ejabberd')}, "
                f"Erlang {version_of('erlang-base')}")

    def prepare(self):
        folder = f"{self.folder}/prepared"
        os.makedirs(f"{folder}/database")
        # It holds them in base64, and writes that in base64 once more.
        stored, server, salt = (
            base64.b64encode(base64.b64encode(x)).decode()
            for x in (*scram_keys(), SALT))
        users = f"{folder}/users.xml"
        with open(users, "w", encoding="ascii") as out:
            out.write("<?xml version='1.0'?><server-data "
                      f"xmlns='urn:xmpp:pie:0'><host jid='{DOMAIN}'>\n")
            for name, contacts in accounts(self.settings):
                out.write(f"<user name='{name}' password='scram:"
                          f"{stored},{server},{salt},{ITERATIONS}'>")
                if contacts:
                    out.write("<query xmlns='jabber:iq:roster'>")
                for contact in contacts:
                    out.write(f"<item jid='{contact}' subscription='both'>"
                              "<group>bench</group></item>")
                out.write("</query></user>\n" if contacts else "</user>\n")
            out.write("</host></server-data>\n")
        self.configure(folder, 0)
        self.give(self.folder)
        process = self.spawn(
            self.words(folder) + ["-eval",
             f'ok = ejabberd_piefxis:import_file(<<"{users}">>), init:stop().'],
            folder, self.environment(folder))
        if process.wait(IMPORT_SECONDS) != 0 or "rror" in self.log():
            raise RuntimeError(f"ejabberd imports nothing:\n{self.log()}")
        os.remove(users)

    def configure(self, folder, port):
        text = self.CONFIGURATION.format(port=port, domain=DOMAIN)
        if port == 0:
            head, _, rest = text.partition("listen:\n")
            text = head + "listen: []\n" + rest[rest.index("auth_method"):]
        with open(f"{folder}/ejabberd.yml", "w", encoding="ascii") as out:
            out.write(text)

    def words(self, folder):
        return ["/usr/bin/erl", "-noinput", *self.MACHINE,
                "-mnesia", "dir", f'"{folder}/database"', "-s", "ejabberd"]

    @staticmethod
    def environment(folder):
        library = glob.glob("/usr/lib/*/ejabberd-*/ebin")
        return {"ERL_LIBS": os.path.dirname(os.path.dirname(library[0])),
                "ERL_CRASH_DUMP_BYTES": "0",
                "EJABBERD_CONFIG_PATH": f"{folder}/ejabberd.yml",
                "EJABBERD_LOG_PATH": f"{folder}/ejabberd.log",
                "ERL_MAX_PORTS": "32000"}

    def launch(self, folder):
        return self.spawn(
            self.words(folder), folder, self.environment(folder))
