"""Runs a GStreamer pipeline whose UDP sockets are for both directions: a udpsink called `x-y` sends from the socket of the
udpsrc called `x`, as peers of RTP and RTCP do. Says `playing` when all of them are open; ends by itself or by SIGTERM, when
the last frame is written.

Use: gst-rtp.py <pipeline>
"""

import signal
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402


def share_sockets(pipeline: Gst.Pipeline) -> None:
    elements: list[Gst.Element] = []
    pipeline.iterate_recurse().foreach(elements.append)
    for sink in elements:
        owner, separator, _ = sink.get_name().partition("-")
        source = pipeline.get_by_name(owner) if separator else None
        if source is None:
            continue
        source.set_state(Gst.State.READY)
        sink.set_property("socket", source.get_property("used-socket"))
        sink.set_property("close-socket", False)


def main(description: str) -> int:
    Gst.init(None)
    pipeline = Gst.parse_launch(description)
    share_sockets(pipeline)
    loop = GLib.MainLoop()
    failures: list[str] = []

    def on_message(_bus: Gst.Bus, message: Gst.Message) -> None:
        if message.type == Gst.MessageType.EOS:
            loop.quit()
        elif message.type == Gst.MessageType.ERROR:
            failures.append(str(message.parse_error()))
            loop.quit()

    def on_signal() -> bool:
        pipeline.send_event(Gst.Event.new_eos())
        return True

    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, on_signal)
    pipeline.set_state(Gst.State.PLAYING)
    print("playing", flush=True)
    loop.run()
    pipeline.set_state(Gst.State.NULL)
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


sys.exit(main(sys.argv[1]))
