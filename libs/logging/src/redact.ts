/** A header that carries credentials, whatever its scheme. */
const HEADER =
  /\b((?:proxy-)?authorization|(?:set-)?cookie)(["']?\s*[:=]\s*["']?)(?:(basic|bearer)\s+[^\s"',]+|[^"'\r\n]+)/gi;
const CREDENTIALS = /\b(basic|bearer)\s+[A-Za-z0-9+/=._~-]{4,}/gi;
const AUTHORITY = /(?::|%3a)(?:\/\/|%2f%2f)/i;
const SECRET_NAME =
  'pass(?:word|wd|phrase)?|secret|(?:\\w+[_-])?token|(?:\\w+[_-])?api[_-]?key|session[_-]?(?:cookie|id)|SyncGatewaySession\\w*';
/** Named values, as in JSON, query strings and objects shown by an error. */
const NAMED = new RegExp(`\\b(${SECRET_NAME})(["']?\\s*[:=]\\s*)("(?:[^"\\\\]|\\\\.)*"?|'[^']*'?|[^\\s&"',;}]+)`, 'gi');
const SESSION = /SyncGatewaySession_[\w-]+/g;
/** Whether anything in a text might be one of the above. */
const SUSPICIOUS = /authorization|cookie|basic|bearer|:\/\/|%2f%2f|pass|secret|token|api[_-]?key|session/i;
// Would let a message pretend to be another line, or steer a terminal.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** The text on one line, without credentials: those of headers, of URLs, and values that are called secret. */
export function redact(text: string): string {
  return oneLine(SUSPICIOUS.test(text) ? hideCredentials(text) : text);
}

function hideCredentials(text: string): string {
  return text
    .replace(HEADER, (_, name: string, separator: string, scheme?: string) =>
      scheme === undefined ? `${name}${separator}…` : `${name}${separator}${scheme} …`,
    )
    .replace(CREDENTIALS, '$1 …')
    .replace(/\S+/g, hideUserInformation)
    .replace(NAMED, '$1$2…')
    .replace(SESSION, 'SyncGatewaySession_…');
}

/** Hides what stands between `://` and the last `@`: a password may by mistake hold any character. */
function hideUserInformation(word: string): string {
  const authority = AUTHORITY.exec(word);
  if (!authority) return word;
  const start = authority.index + authority[0].length;
  const end = Math.max(word.lastIndexOf('@'), word.lastIndexOf('%40'));
  return end < start ? word : `${word.slice(0, start)}…${word.slice(end)}`;
}

/** The text with its control characters escaped. */
export function oneLine(text: string): string {
  return text.replace(CONTROL, (char) =>
    char === '\n' ? '\\n' : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
