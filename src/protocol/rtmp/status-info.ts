import { AmfObject, type AmfValue } from '../amf/amf-value.ts';

/** The client id in our status objects: a constant that other servers also send; nobody reads it. */
export const STATUS_CLIENT_ID = 'ASAICiss';

/** Fields of an information object, in the order they are written. */
export interface StatusFields {
  readonly level: 'status' | 'error' | 'warning';
  readonly code: string;
  readonly description?: string | undefined;
  readonly details?: string;
  readonly clientId?: string;
  /** More properties, after the others. */
  readonly more?: readonly (readonly [string, AmfValue])[];
}

/** The information object of onStatus and `_error` (RTMP 1.0 §7.2.2). */
export function toStatusInfo(fields: StatusFields): AmfObject {
  const info = new AmfObject([
    ['level', fields.level],
    ['code', fields.code],
  ]);
  const { properties } = info;
  if (fields.description !== undefined) properties.set('description', fields.description);
  if (fields.details !== undefined) properties.set('details', fields.details);
  if (fields.clientId !== undefined) properties.set('clientid', fields.clientId);
  for (const [name, value] of fields.more ?? []) properties.set(name, value);
  return info;
}
