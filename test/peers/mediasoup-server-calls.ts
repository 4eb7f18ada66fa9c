/** How a page with `mediasoup-client` hands on to its server what the library asks of an application. */

/** What a page's global scope has of its server. */
export interface ServerScope {
  /** Asks the server of the application, which is the test. */
  callServer<T>(method: string, data?: unknown): Promise<T>;
}

/** Asks the server for what the library asks the application for: one of `done` and `failed` is called, once. */
export async function ask<T>(
  scope: ServerScope,
  method: string,
  data: object,
  done: (answer: T) => void,
  failed: (error: Error) => void,
): Promise<void> {
  let answer: T;
  try {
    answer = await scope.callServer<T>(method, data);
  } catch (error) {
    failed(error as Error);
    return;
  }
  done(answer);
}
