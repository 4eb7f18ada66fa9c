/**
 * Reason phrases by status code: all of RFC 2326 §7.1.1, and behind them the few of RFC 7231, 6455 and 7826 that stand
 * in answers of tunnels, redirects and newer servers.
 */
export const RTSP_STATUS_REASONS: ReadonlyMap<number, string> = new Map([
  [100, 'Continue'],
  [200, 'OK'],
  [201, 'Created'],
  [250, 'Low on Storage Space'],
  [300, 'Multiple Choices'],
  [301, 'Moved Permanently'],
  [302, 'Moved Temporarily'],
  [303, 'See Other'],
  [304, 'Not Modified'],
  [305, 'Use Proxy'],
  [400, 'Bad Request'],
  [401, 'Unauthorized'],
  [402, 'Payment Required'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [406, 'Not Acceptable'],
  [407, 'Proxy Authentication Required'],
  [408, 'Request Time-out'],
  [410, 'Gone'],
  [411, 'Length Required'],
  [412, 'Precondition Failed'],
  [413, 'Request Entity Too Large'],
  [414, 'Request-URI Too Large'],
  [415, 'Unsupported Media Type'],
  [451, 'Parameter Not Understood'],
  [452, 'Conference Not Found'],
  [453, 'Not Enough Bandwidth'],
  [454, 'Session Not Found'],
  [455, 'Method Not Valid in This State'],
  [456, 'Header Field Not Valid for Resource'],
  [457, 'Invalid Range'],
  [458, 'Parameter Is Read-Only'],
  [459, 'Aggregate operation not allowed'],
  [460, 'Only aggregate operation allowed'],
  [461, 'Unsupported transport'],
  [462, 'Destination unreachable'],
  [500, 'Internal Server Error'],
  [501, 'Not Implemented'],
  [502, 'Bad Gateway'],
  [503, 'Service Unavailable'],
  [504, 'Gateway Time-out'],
  [505, 'RTSP Version not supported'],
  [551, 'Option not supported'],

  [101, 'Switching Protocols'],
  [204, 'No Content'],
  [206, 'Partial Content'],
  [307, 'Temporary Redirect'],
  [308, 'Permanent Redirect'],
  [409, 'Conflict'],
  [416, 'Range Not Satisfiable'],
  [426, 'Upgrade Required'],
  [429, 'Too Many Requests'],
  [463, 'Destination Prohibited'],
  [464, 'Data Transport Not Ready Yet'],
  [465, 'Notification Reason Unknown'],
  [466, 'Key Management Error'],
]);

/** What each first digit means, for codes without an entry. */
const CLASS_REASONS = ['Informational', 'Success', 'Redirection', 'Client Error', 'Server Error'];

/** The reason phrase that belongs to a status code; that of its class for one that is not in the table. */
export function reasonOf(statusCode: number): string {
  return RTSP_STATUS_REASONS.get(statusCode) ?? CLASS_REASONS[Math.floor(statusCode / 100) - 1] ?? 'Unknown';
}
