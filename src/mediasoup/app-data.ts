/** Data of the application kept with an entity; never looked at. */
export type AppData = { [key: string]: unknown };

/** @throws TypeError when it is given and no object */
export function checkAppData(appData: unknown): void {
  if (appData !== undefined && appData !== null && typeof appData !== 'object') {
    throw new TypeError('if given, appData must be an object');
  }
}
