#!/usr/bin/python3
"""A Parley client on one page, made from protocol/README.md alone. Needs
`protoc --python_out=DIR -I protocol parley.proto` and DIR in PYTHONPATH.
    example.py HOST:PORT CA.pem|plain USER [TO TEXT] < PASSWORD-FILE
Signs in, sends TEXT if there is one, else prints and acknowledges what comes."""
import base64, hashlib, hmac, os, socket, ssl, struct, sys, uuid
import parley_pb2 as wire

where, trust, user, *im = sys.argv[1:]
password = sys.stdin.readline().rstrip("\n").encode()
host, port = where.rsplit(":", 1)
sock = socket.create_connection((host.strip("[]"), port))
if trust != "plain":
    tls = ssl.create_default_context(cafile=trust)
    sock = tls.wrap_socket(sock, server_hostname=host.strip("[]"))
incoming = sock.makefile("rb")

def send(**fields):
    frame = wire.ClientFrame(**fields).SerializeToString()
    sock.sendall(struct.pack(">I", len(frame)) + frame)

def receive():
    head = incoming.read(4) or sys.exit("the server closed the connection")
    frame = wire.ServerFrame.FromString(incoming.read(*struct.unpack(">I", head)))
    if frame.WhichOneof("kind") == "error":
        sys.exit(f"{frame.error.reason}: {frame.error.text}")
    return frame

def hash_of(key, text):
    return hmac.digest(key, text.encode(), "sha256")

# Hello, then SCRAM-SHA-256 (RFC 5802); names in ASCII need no SASLprep.
magic, nonce = b"PARLEY\x01\n", base64.b64encode(os.urandom(18)).decode()
sock.sendall(magic)
send(hello={"version_min": 1, "version_max": 1, "software": "example.py"})
assert incoming.read(8) == magic and receive().welcome.version == 1
first = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={nonce}"
send(authenticate={"mechanism": "SCRAM-SHA-256", "initial": b"n,," + first.encode()})
challenge = receive().sasl_challenge.data.decode()
part = dict(x.split("=", 1) for x in challenge.split(","))
assert part["r"].startswith(nonce) and len(part["r"]) > len(nonce)
last = "c=biws,r=" + part["r"]
salted = hashlib.pbkdf2_hmac("sha256", password, base64.b64decode(part["s"]), int(part["i"]))
client_key, signed = hash_of(salted, "Client Key"), f"{first},{challenge},{last}"
mask = hash_of(hashlib.sha256(client_key).digest(), signed)
proof = base64.b64encode(bytes(a ^ b for a, b in zip(client_key, mask))).decode()
send(sasl_response={"data": f"{last},p={proof}".encode()})
session = receive().signed_in
expected = b"v=" + base64.b64encode(hash_of(hash_of(salted, "Server Key"), signed))
assert hmac.compare_digest(session.sasl, expected), "the server does not know us"
print("ready", session.address, flush=True)

if im:
    send(request=1, send={"id": str(uuid.uuid4()), "to": im[0], "body": im[1]})
seen, done = set(), False
while not done:
    frame = receive()
    kind = frame.WhichOneof("kind")
    if kind == "ping":
        send(pong={"nonce": frame.ping.nonce})
    elif kind == "im" and (key := (getattr(frame.im, "from").split("/")[0], frame.im.id)) not in seen:
        seen.add(key)
        print("from", key[0] + ":", frame.im.body, flush=True)
    elif kind == "outcome":
        print(wire.Outcome.Kind.Name(frame.outcome.kind).lower(), frame.outcome.error.reason, flush=True)
        send(request=2, sign_out={})
    done = kind == "done"
    if frame.event and not done:
        send(ack={"event": frame.event})
