const CREDENTIALS = /\b(basic|bearer)\s+[A-Za-z0-9+/=._~-]{4,}/gi;
const URL_CREDENTIALS = /(:\/\/)[^\s/@]+@/g;
// Would let a message pretend to be another line, or steer a terminal.
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** The text on one line, without credentials of `Authorization` headers and URLs. */
export function redact(text: string): string {
  return oneLine(text.replace(CREDENTIALS, '$1 …').replace(URL_CREDENTIALS, '$1…@'));
}

/** The text with its control characters escaped. */
export function oneLine(text: string): string {
  return text.replace(CONTROL, (char) =>
    char === '\n' ? '\\n' : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
