let second = -1;
let text = '';

/** The `Date` header's value now (RFC 1123, as RFC 2326 §12.18 and RFC 9110 §6.6.1 ask), made once a second. */
export function httpDate(nowMs: number = Date.now()): string {
  const nowSecond = Math.floor(nowMs / 1000);
  if (nowSecond !== second) {
    second = nowSecond;
    text = new Date(nowSecond * 1000).toUTCString();
  }
  return text;
}
