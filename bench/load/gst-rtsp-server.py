"""gst-rtsp-server as the load benchmark runs it: one shared stream, /live/s0, taken from an FLV byte stream that a
publisher offers on a TCP port. Nothing is transcoded; every other setting is the library's default.

Use: gst-rtsp-server.py <RTSP port> <port of the publisher>
"""

import signal
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PIPELINE = (
    "( tcpclientsrc host=127.0.0.1 port={feed} ! flvdemux name=demux "
    "demux.video ! queue ! h264parse ! rtph264pay name=pay0 pt=96 "
    "demux.audio ! queue ! aacparse ! rtpmp4gpay name=pay1 pt=97 )"
)


def main(rtsp_port: str, feed_port: str) -> None:
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(rtsp_port)
    server.set_backlog(1024)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(PIPELINE.format(feed=feed_port))
    factory.set_shared(True)
    server.get_mount_points().add_factory("/live/s0", factory)
    server.attach(None)
    loop = GLib.MainLoop()
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, loop.quit)
    loop.run()


main(*sys.argv[1:])
