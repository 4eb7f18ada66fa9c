/** Chunk reader and chunk writer of RTMP: `node bench/micro/rtmp-chunks.bench.ts`. */
import { ChunkReader } from '../../src/protocol/rtmp/chunk-reader.ts';
import { chunkStreamOfMedia, writeMessage } from '../../src/protocol/rtmp/chunk-writer.ts';
import { type ClipTag, clipTags } from './clip-frames.ts';
import { benchWork, runWorks } from './throughput.ts';

/** What one socket read gives. */
const READ_SIZE = 65_536;

const tags = await clipTags();
const payloadBytes = tags.reduce((sum, tag) => sum + tag.body.length, 0);

function chunksOf(tag: ClipTag, chunkSize: number): Uint8Array {
  const { typeId, timestampMs, body } = tag;
  const chunkStreamId = chunkStreamOfMedia(typeId);
  return writeMessage({ chunkStreamId, timestamp: timestampMs, typeId, messageStreamId: 1, parts: [body] }, chunkSize);
}

for (const chunkSize of [128, 4096]) {
  const stream = new Uint8Array(Buffer.concat(tags.map((tag) => chunksOf(tag, chunkSize))));
  const reads: Uint8Array[] = [];
  for (let at = 0; at < stream.length; at += READ_SIZE) reads.push(stream.subarray(at, at + READ_SIZE));
  const chunks = tags.reduce((sum, tag) => sum + Math.ceil(tag.body.length / chunkSize), 0);
  benchWork(`chunk reader, chunks of ${chunkSize}`, { bytes: stream.length, items: chunks, item: 'chunk' }, () => {
    const reader = new ChunkReader();
    reader.chunkSize = chunkSize;
    let received = 0;
    for (const read of reads) {
      reader.receive(read, (message) => {
        received += message.payload.length;
      });
    }
    return received;
  });
}

for (const chunkSize of [128, 4096, 60_000]) {
  benchWork(
    `chunk writer, chunks of ${chunkSize}`,
    { bytes: payloadBytes, items: tags.length, item: 'message' },
    () => {
      let written = 0;
      for (const tag of tags) written += chunksOf(tag, chunkSize).length;
      return written;
    },
  );
}

await runWorks();
