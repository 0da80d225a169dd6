// Keeps secrets out of what people read: field names that hold one, and secrets inside longer texts.

export const MASK = '***'

const NAMES = new Set(['token', 'accesstoken', 'externalaccesstoken', 'secret', 'authorization', 'password'])

/** Whether a field of this name holds a secret, however it is spelled: access-token, access_token, accessToken. */
export const isSecret = (name: string): boolean => NAMES.has(name.toLowerCase().replaceAll(/[-_]/g, ''))

const INSIDE = [
  // ?key=T in an address, as web hooks are often protected
  /([?&](?:token|key|secret|password|sign|sig|signature)=)[^\s"'&#]+/gi,
  // "token":"T" in JSON, as some actions have it
  /("(?:token|secret|password)"\s*:\s*")[^"]+/gi,
  // access_token=T in an address, "access_token":"T" in JSON, access-token: T in YAML
  /(access[-_]?token["']?\s*[=:]\s*["']?)[^\s"'&#,}]+/gi,
  /(\bBearer\s+)[^\s"',}]+/gi,
  // ws://user:password@host
  /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/?#@]*:)[^\s/?#@]+(?=@)/gi,
]

/** The text with every secret we can recognise replaced. */
export function maskText(text: string): string {
  return INSIDE.reduce((masked, secret) => masked.replace(secret, `$1${MASK}`), text)
}
