/** Why a request could not be read. Stable names, for logs and counters. */
export type HttpErrorCode =
  | 'http/bad-request-line'
  | 'http/bad-header'
  | 'http/bad-host'
  | 'http/bad-length'
  | 'http/bad-chunk'
  | 'http/header-too-large'
  | 'http/too-many-headers'
  | 'http/body-too-large'
  | 'http/unsupported-expectation'
  | 'http/unsupported-transfer-encoding'
  | 'http/unsupported-version';
