/**
 * Settings of `rtsp` for tests with multicast. The ports of groups lie below those that FFmpeg takes for its own by chance
 * (from 5,000 on) and the system gives to others (from 32,768 on): whoever plays a group could not have one that is taken.
 */
export const MULTICAST = { multicast: true, multicast_ttl: 1, multicast_port: 1024 } as const;
