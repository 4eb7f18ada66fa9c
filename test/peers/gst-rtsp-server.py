"""gst-rtsp-server with one stream, /x: an FLV file with H.264 and AAC, from its beginning for the first client, in the
profile that is named. The first line of its output is its port.

Use: gst-rtsp-server.py <file> <profile: AVP, SAVP, AVPF or SAVPF>
"""

import signal
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

PIPELINE = (
    "( filesrc location={file} ! flvdemux name=demux "
    "demux.video ! queue ! h264parse ! rtph264pay name=pay0 pt=96 "
    "demux.audio ! queue ! aacparse ! rtpmp4gpay name=pay1 pt=97 )"
)


def main(file: str, profile: str) -> None:
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(PIPELINE.format(file=file))
    factory.set_profiles(getattr(GstRtsp.RTSPProfile, profile))
    server.get_mount_points().add_factory("/x", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    loop = GLib.MainLoop()
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, loop.quit)
    loop.run()


main(*sys.argv[1:])
