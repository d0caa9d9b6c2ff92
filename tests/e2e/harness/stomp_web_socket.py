"""What it is: the STOMP client on bytes of stomp_wire.py, over WebSocket (python3-websocket)."""

import websocket

from harness.stomp_wire import StompWire


class StompWebSocket(StompWire):
    def __init__(self, url, text=False, timeout=10, **options):  # pylint: disable=super-init-not-called
        options.setdefault("suppress_origin", True)
        self.socket = websocket.create_connection(url, timeout=timeout, enable_multithread=True, **options)
        self.opcode = websocket.ABNF.OPCODE_TEXT if text else websocket.ABNF.OPCODE_BINARY
        self.buffer = b""
        self.beats = 0
        self.kinds = []  # of the messages that came, as opcodes
        self.close_frame = None

    def send_bytes(self, data):
        self.socket.send(data, self.opcode)

    def send_frame(self, opcode, data, final=True):
        self.socket.send_frame(websocket.ABNF(1 if final else 0, 0, 0, 0, opcode, 1, data))

    def _more(self):
        frame = self.socket.recv_frame()
        if frame.opcode == websocket.ABNF.OPCODE_CLOSE:
            self.close_frame = (int.from_bytes(frame.data[:2], "big"), frame.data[2:].decode())
            raise EOFError(f"the WebSocket is closed: {self.close_frame}")
        self.kinds.append(frame.opcode)
        if frame.opcode in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY):
            self.buffer += frame.data

    def close_code(self):
        """Everything that still comes; the server closes."""
        self.receive_until_end()
        return self.close_frame and self.close_frame[0]
