import { StateError } from '../../wire/errors.ts';
import { NotFoundError } from '../channel/request-errors.ts';

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

  /** @throws TypeError when it is there and no number from 0 on */
  number(name: string): number | undefined {
    const value = this.#fields[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'number' || !(value >= 0)) throw new TypeError(`invalid ${name}`);
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

  /** Numbers of a list. @throws TypeError */
  numbers(name: string): readonly number[] {
    return this.list(name).map((value) => {
      if (typeof value !== 'number') throw new TypeError(`invalid ${name}`);
      return value;
    });
  }

  /** Whether it is there. */
  has(name: string): boolean {
    return this.#fields[name] !== undefined && this.#fields[name] !== null;
  }

  /** An object, in the shape control gives it. @throws TypeError when it is none */
  object<T extends object>(name: string): T {
    const value = this.#fields[name];
    if (typeof value !== 'object' || value === null) throw new TypeError(`missing ${name}`);
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
    if (error.code === 'sfu/bad-request') throw new TypeError(error.message, { cause: error });
    throw error;
  }
}
