"""gst-rtsp-server that takes one stream, /x, of H.264 and AAC, and writes its pictures to a file: with a certificate over
TLS and as SRTP, else in the clear. The first line of its output is its port.

Use: gst-rtsp-recorder.py [<certificate> <key>] <file to write>
"""

import signal
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

PIPELINE = (
    "( rtph264depay name=depay0 ! h264parse ! video/x-h264,stream-format=byte-stream,alignment=au "
    "! filesink buffer-mode=unbuffered location={file} rtpmp4gdepay name=depay1 ! fakesink )"
)
ROLE = "anyone"
RIGHTS = ROLE + ",media.factory.access=(boolean)true,media.factory.construct=(boolean)true"


def authentication(certificate: str, key: str) -> GstRtspServer.RTSPAuth:
    auth = GstRtspServer.RTSPAuth()
    auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(certificate, key))
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, ROLE)
    auth.set_default_token(token)
    return auth


def main(file: str, certificate: str = "", key: str = "") -> None:
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    if certificate:
        server.set_auth(authentication(certificate, key))
    factory = GstRtspServer.RTSPMediaFactory()
    if certificate:
        factory.add_role_from_structure(Gst.Structure.from_string(RIGHTS)[0])
    factory.set_launch(PIPELINE.format(file=file))
    factory.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
    factory.set_profiles(GstRtsp.RTSPProfile.SAVP if certificate else GstRtsp.RTSPProfile.AVP)
    server.get_mount_points().add_factory("/x", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    loop = GLib.MainLoop()
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, loop.quit)
    loop.run()


main(sys.argv[-1], *sys.argv[1:-1])
