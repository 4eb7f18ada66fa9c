import { DataReceiver } from './data-receiver.ts';
import { DataSender } from './data-sender.ts';
import type { RetransmissionTimeout } from './retransmission-timeout.ts';
import type { SctpSettings } from './sctp-options.ts';
import type { SendQueue } from './send-queue.ts';
import type { Agreement } from './state-cookie.ts';
import { StreamReconfiguration } from './stream-reconfiguration.ts';

/** What an association consists of once both sides agree; all of it begins anew with a restart. */
export interface Transfer {
  readonly agreement: Agreement;
  readonly sender: DataSender;
  readonly receiver: DataReceiver;
  readonly reconfiguration: StreamReconfiguration;
}

/** What a transfer is made of. */
export interface TransferParts {
  readonly settings: SctpSettings;
  readonly agreement: Agreement;
  readonly localInitialTsn: number;
  readonly packetBytes: number;
  readonly queue: SendQueue;
  readonly timeout: RetransmissionTimeout;
}

/** A transfer in which nothing was sent or received. The queue keeps what it holds. */
export function createTransfer(parts: TransferParts): Transfer {
  const { settings, agreement, localInitialTsn, packetBytes, queue, timeout } = parts;
  const { isInterleaved, hasForwardTsn, peerInitialTsn, peerWindowBytes } = agreement;
  queue.setInterleaved(isInterleaved);
  const sender = new DataSender(
    { initialTsn: localInitialTsn, isInterleaved, hasForwardTsn, packetBytes, peerWindowBytes },
    queue,
    timeout,
  );
  const receiver = new DataReceiver({
    initialTsn: peerInitialTsn,
    isInterleaved,
    windowBytes: settings.receiveWindowBytes,
    maxMessageBytes: settings.maxReceiveMessageBytes,
    delayedSackMs: settings.delayedSackMs,
  });
  const reconfiguration = new StreamReconfiguration(
    {
      isDrained: (id) => queue.isEmpty(id),
      pauseStream: (id) => queue.pause(id),
      restartStream: (id, isReset) => queue.restart(id, isReset),
      get lastAssignedTsn() {
        return sender.lastAssignedTsn;
      },
      isDelivered: (tsn) => receiver.hasAllUpTo(tsn) && !receiver.hasUndelivered,
      resetInbound: (ids) => receiver.reset(ids),
    },
    {
      localTsn: localInitialTsn,
      peerTsn: peerInitialTsn,
      outboundStreams: agreement.outboundStreams,
      inboundStreams: agreement.inboundStreams,
    },
  );
  return { agreement, sender, receiver, reconfiguration };
}
