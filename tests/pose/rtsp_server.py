"""An RTSP camera on this machine for tests: H.264 in RTP packets within the connection (RFC 2326, RFC 6184)."""

import base64
import socketserver
import struct
import threading
import time
from fractions import Fraction

import av

SESSION = "12345678"
CLOCK_HZ = 90_000  # of RTP times for video, RFC 6184


def encoded(pictures, fps):
    """NAL units of each picture, the parameter sets with the first of every ten."""
    codec = av.CodecContext.create("libx264", "w")
    codec.height, codec.width = pictures[0].shape[:2]
    codec.pix_fmt, codec.framerate, codec.time_base = "yuv420p", Fraction(fps), Fraction(1, fps)
    codec.options = {
        "tune": "zerolatency",
        "preset": "ultrafast",
        "g": "10",
        "x264-params": "slices=1:sliced-threads=0",
    }
    packets = []
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts = number
        packets += codec.encode(frame)
    packets += codec.encode(None)
    return [
        [unit for unit in bytes(packet).replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit] for packet in packets
    ]


class RtspServer(socketserver.ThreadingTCPServer):
    """Plays the pictures over and over, or `times` times. url: where. conversations: what each client asked for."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, pictures, fps=20, times=None):
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.fps, self.times = fps, times
        self.units = encoded(pictures, fps)
        self.parameters = {unit[0] & 31: unit for unit in self.units[0] if unit[0] & 31 in (7, 8)}
        self.conversations = []
        self.url = f"rtsp://127.0.0.1:{self.server_address[1]}/camera"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def description(self):
        """What the stream holds, as SDP."""
        sets = ",".join(base64.b64encode(self.parameters[kind]).decode() for kind in (7, 8))
        return (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
            f"a=rtpmap:96 H264/{CLOCK_HZ}\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\n"
            "a=control:track1\r\n"
        )


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self):
        asked = []
        self.server.conversations.append(asked)
        while line := self.rfile.readline().decode().strip():
            method = line.split()[0]
            headers = {}
            while header := self.rfile.readline().decode().strip():
                name, _, value = header.partition(":")
                headers[name.lower()] = value.strip()
            asked.append(method)
            self.answer(method, headers)
            if method == "PLAY":
                self.play()
                return

    def answer(self, method, headers):
        body, more = "", f"Session: {SESSION}\r\n"
        if method == "OPTIONS":
            more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
        elif method == "DESCRIBE":
            body = self.server.description()
            more = f"Content-Base: {self.server.url}/\r\nContent-Type: application/sdp\r\n"
        elif method == "SETUP":
            assert "TCP" in headers["transport"], "asked for UDP"
            more += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        self.wfile.write(f"RTSP/1.0 200 OK\r\nCSeq: {headers['cseq']}\r\n{more}{length}\r\n{body}".encode())

    def play(self):
        server, start, sequence, number = self.server, time.monotonic(), 0, 0
        while server.times is None or number < server.times * len(server.units):
            time.sleep(max(0.0, start + number / server.fps - time.monotonic()))
            units = server.units[number % len(server.units)]
            for unit in units:
                last = 0x80 if unit is units[-1] else 0
                rtp = (
                    struct.pack(">BBHII", 0x80, last | 96, sequence & 0xFFFF, number * CLOCK_HZ // server.fps, 7) + unit
                )
                try:
                    self.wfile.write(struct.pack(">cBH", b"$", 0, len(rtp)) + rtp)
                except OSError:
                    return
                sequence += 1
            number += 1
