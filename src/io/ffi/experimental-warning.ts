/** `node:ffi` warns on its first use that it is experimental, which tells a user of this server nothing. */
export function withoutExperimentalWarning<T>(load: () => T): T {
  const emitWarning: typeof process.emitWarning = Reflect.get(process, 'emitWarning');
  process.emitWarning = ((warning: string | Error, ...rest: readonly unknown[]) => {
    if (rest[0] !== 'ExperimentalWarning') Reflect.apply(emitWarning, process, [warning, ...rest]);
  }) as typeof emitWarning;
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}
