"""A connection that can be cut."""

import socket
import threading


class Line:
    """What lies between a client and the server: can be cut, and then leads
    nowhere until it is mended."""

    def __init__(self, to):
        host, port = to.rsplit(":", 1)
        self.to = (host, int(port))
        self.is_cut = False
        self.ends = []
        self.door = socket.create_server((host, 0))
        self.address = f"{host}:{self.door.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                here, _ = self.door.accept()
            except OSError:
                return  # closed
            if self.is_cut:
                here.close()
                continue
            there = socket.create_connection(self.to)
            self.ends += [here, there]
            for pair in ((here, there), (there, here)):
                threading.Thread(
                    target=self.pass_on, args=pair, daemon=True
                ).start()

    @staticmethod
    def pass_on(source, to):
        try:
            while data := source.recv(1 << 16):
                to.sendall(data)
            to.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # cut

    def cut(self):
        self.is_cut = True
        for end in self.ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # over already
            end.close()
        self.ends.clear()

    def mend(self):
        self.is_cut = False

    def close(self):
        # Wakes who waits at it.
        self.door.shutdown(socket.SHUT_RDWR)
        self.door.close()
        self.cut()
