/** Public entry point `millrace`: embed the server. */

export type { ConfigurationInput } from '../server/config/configuration.ts';
export { ConfigError, MillraceError, ProtocolError, ResourceError, StateError } from '../wire/errors.ts';
export { Millrace, type MillraceOptions, type MillracePorts } from './millrace.ts';
export { VERSION } from './version.ts';
