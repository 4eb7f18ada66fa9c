import { StateError } from '../../wire/errors.ts';
import { NotFoundError } from '../channel/request-errors.ts';

/** Both included. */
export interface NumberLimits {
  readonly least?: number;
  readonly most?: number;
}

/** What a request carries, to be read field by field. Control has checked what applications give; this is a second look. */
export class RequestData {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(data: unknown) {
    this.#fields = typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
  }

  /** @throws TypeError when it is no text, or empty */
  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value !== 'string' || value === '') throw new TypeError(`missing ${name}`);
    return value;
  }

  /** @throws TypeError when it is there and no text */
  optionalText(name: string): string | undefined {
    const value = this.#fields[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string') throw new TypeError(`invalid ${name}`);
    return value;
  }

  /** @throws TypeError when it is there and no number from `least` (0 unless told) to `most` */
  number(name: string, { least = 0, most = Number.MAX_VALUE }: NumberLimits = {}): number | undefined {
    const value = this.#fields[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'number' || !(value >= least && value <= most)) throw new TypeError(`invalid ${name}`);
    return value;
  }

  /** @throws TypeError when it is no integer from `least` to `most` */
  integer(name: string, most: number, least = 0): number {
    const value = this.optionalInteger(name, most, least);
    if (value === undefined) throw new TypeError(`missing ${name}`);
    return value;
  }

  /** The same, or undefined. @throws TypeError */
  optionalInteger(name: string, most: number, least = 0): number | undefined {
    const value = this.#fields[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
      throw new TypeError(`invalid ${name}`);
    }
    return value;
  }

  /** @throws TypeError when it is there and neither true nor false */
  flag(name: string, byDefault: boolean): boolean {
    const value = this.#fields[name];
    if (value === undefined || value === null) return byDefault;
    if (typeof value !== 'boolean') throw new TypeError(`invalid ${name}`);
    return value;
  }

  /** @throws TypeError when it is there and no list */
  list(name: string): readonly unknown[] {
    const value = this.#fields[name];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw new TypeError(`invalid ${name}`);
    return value;
  }

  /** Integers of a list, from 0 to `most`. @throws TypeError */
  integers(name: string, most: number): readonly number[] {
    return this.list(name).map((value) => {
      if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most) {
        throw new TypeError(`invalid ${name}`);
      }
      return value;
    });
  }

  /** Texts of a list. @throws TypeError */
  texts(name: string): readonly string[] {
    return this.list(name).map((value) => {
      if (typeof value !== 'string') throw new TypeError(`invalid ${name}`);
      return value;
    });
  }

  /** Objects of a list, which must be there. @throws TypeError when something in it is none, or there are more than `most` */
  objects(name: string, most: number): readonly RequestData[] {
    const values = this.#fields[name];
    if (!Array.isArray(values) || values.length > most) throw new TypeError(`invalid ${name}`);
    return values.map((value) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(`invalid ${name}`);
      return new RequestData(value);
    });
  }

  /** Whether it is there. */
  has(name: string): boolean {
    return this.#fields[name] !== undefined && this.#fields[name] !== null;
  }

  /** An object, in the shape control gives it. @throws TypeError when it is none */
  object<T extends object>(name: string): T {
    const value = this.#fields[name];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(`missing ${name}`);
    return value as T;
  }

  /** The same, or undefined. @throws TypeError */
  optionalObject<T extends object>(name: string): T | undefined {
    return this.has(name) ? this.object<T>(name) : undefined;
  }
}

/** Calls `answer`, and gives its errors the classes control knows. */
export function answered<T>(answer: () => T): T {
  try {
    return answer();
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    if (error.code === 'sfu/not-found') throw new NotFoundError(error.message);
    const isWrong = error.code === 'sfu/bad-request' || error.code === 'rtp-listener/nothing-to-go-by';
    if (isWrong) throw new TypeError(error.message, { cause: error });
    throw error;
  }
}
