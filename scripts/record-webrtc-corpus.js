/** Records what Chromium, libwebrtc and libdatachannel send, for the fuzz targets: `node scripts/record-webrtc-corpus.js`. */
import '../test/peers/webrtc-corpus.ts';
