"""Runs a GStreamer pipeline whose UDP sockets are for both directions: a udpsink called `x-y` sends from the socket of the
udpsrc called `x`, as peers of RTP and RTCP do. Says `playing` when all of them are open; ends by itself or by SIGTERM, when
the last frame is written. Sessions of RTP now and then miss the end: so what sends RTP (called `x-rtp`) or writes files
says when it has come.

Use: gst-rtp.py <pipeline>
"""

import signal
import sys
from collections.abc import Callable

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402


def elements_of(pipeline: Gst.Pipeline) -> list[Gst.Element]:
    elements: list[Gst.Element] = []
    pipeline.iterate_recurse().foreach(elements.append)
    return elements


def share_sockets(pipeline: Gst.Pipeline) -> None:
    for sink in elements_of(pipeline):
        owner, separator, _ = sink.get_name().partition("-")
        source = pipeline.get_by_name(owner) if separator else None
        if source is None:
            continue
        source.set_state(Gst.State.READY)
        sink.set_property("socket", source.get_property("used-socket"))
        sink.set_property("close-socket", False)


def watch_ends(pipeline: Gst.Pipeline, on_end: Callable[[], None]) -> None:
    waiting: set[str] = set()
    for sink in elements_of(pipeline):
        name = sink.get_name()
        if not name.endswith("-rtp") and sink.get_factory().get_name() != "filesink":
            continue
        waiting.add(name)

        def probe(_pad: Gst.Pad, info: Gst.PadProbeInfo, name: str) -> Gst.PadProbeReturn:
            if info.get_event().type == Gst.EventType.EOS:
                waiting.discard(name)
                if not waiting:
                    # What was handed on in front of it is written by then.
                    GLib.idle_add(on_end)
            return Gst.PadProbeReturn.OK

        sink.get_static_pad("sink").add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, probe, name)


def main(description: str) -> int:
    Gst.init(None)
    pipeline = Gst.parse_launch(description)
    share_sockets(pipeline)
    loop = GLib.MainLoop()
    watch_ends(pipeline, loop.quit)
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
