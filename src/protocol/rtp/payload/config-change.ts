import { equalBytes } from '../../../wire/equal-bytes.ts';

/** Tells which of the decoder configurations found in a stream are news. */
export class ConfigChange {
  #known: Uint8Array;

  /** `known` is the configuration told already, empty when none was. */
  constructor(known: Uint8Array = new Uint8Array(0)) {
    this.#known = known;
  }

  /** The configuration when it differs from the one before, which is kept; otherwise `undefined`. */
  next(config: Uint8Array | undefined): Uint8Array | undefined {
    if (config === undefined || equalBytes(config, this.#known)) return undefined;
    this.#known = config;
    return config;
  }
}
