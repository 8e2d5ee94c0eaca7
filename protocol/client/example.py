#!/usr/bin/python3
"""A Parley client on one page, made from protocol/README.md alone. Needs
`protoc --python_out=DIR -I protocol parley.proto` and DIR in PYTHONPATH.
    example.py HOST PORT CERTIFICATE.pem USER [TO TEXT] < PASSWORD-FILE
Signs in, sends TEXT if there is one, else prints and acknowledges what comes."""
import base64, hashlib, hmac, os, parley_pb2 as wire, socket, ssl, struct, sys

host, port, trusted, user, *im = sys.argv[1:]
server = ssl.create_default_context(cafile=trusted).wrap_socket(
    socket.create_connection((host, port)), server_hostname=host)
incoming = server.makefile("rb")

def send(**fields):
    frame = wire.ClientFrame(**fields).SerializeToString()
    server.sendall(struct.pack(">I", len(frame)) + frame)

def receive():
    frame = wire.ServerFrame.FromString(incoming.read(*struct.unpack(">I", incoming.read(4))))
    return sys.exit(frame.error.reason) if frame.HasField("error") else frame

def mac(key, text): return hmac.digest(key, text.encode(), "sha256")

# Magic and Hello, then SCRAM-SHA-256 (RFC 5802); ASCII needs no SASLprep.
server.sendall(b"PARLEY\x01\n")
send(hello={"version_min": 1, "version_max": 1, "software": "example.py"})
assert incoming.read(8) == b"PARLEY\x01\n" and receive().welcome.version == 1
nonce, seen = base64.b64encode(os.urandom(18)).decode(), set()
first = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={nonce}"
send(authenticate={"mechanism": "SCRAM-SHA-256", "initial": b"n,," + first.encode()})
challenge = receive().sasl_challenge.data.decode()
part = dict(x.split("=", 1) for x in challenge.split(","))
assert part["r"].startswith(nonce), "an answer to somebody else"
password, salt = sys.stdin.readline().rstrip("\n").encode(), base64.b64decode(part["s"])
salted = hashlib.pbkdf2_hmac("sha256", password, salt, int(part["i"]))
key, signed = mac(salted, "Client Key"), f"{first},{challenge},c=biws,r={part['r']}"
proof = bytes(a ^ b for a, b in zip(key, mac(hashlib.sha256(key).digest(), signed)))
send(sasl_response={"data": f"c=biws,r={part['r']},p=".encode() + base64.b64encode(proof)})
session, expected = receive().signed_in, mac(mac(salted, "Server Key"), signed)
assert session.sasl == b"v=" + base64.b64encode(expected), "the server does not know us"
print("ready", session.address, flush=True)

if im: send(request=1, send={"id": nonce, "to": im[0], "body": im[1]})
while (frame := receive()).WhichOneof("kind") != "done":
    name = getattr(frame.im, "from").split("/")[0], frame.im.id
    if frame.HasField("im") and name not in seen:
        seen.add(name)
        print("from", name[0] + ":", frame.im.body, flush=True)
    elif frame.HasField("ping"): send(pong={"nonce": frame.ping.nonce})
    elif frame.HasField("outcome"):
        print(wire.Outcome.Kind.Name(frame.outcome.kind).lower(), frame.outcome.error.reason)
        send(request=2, sign_out={})
    if frame.event: send(ack={"event": frame.event})
