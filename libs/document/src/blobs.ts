/** A blob that a document refers to. */
export interface BlobReference {
  /** `sha1-` and padded base64 (docs/protocol/blobs-and-deltas.md#blobs). */
  readonly digest: string;
  /** Bytes, as the document claims. */
  readonly length?: number;
  readonly contentType?: string;
  /** JSON pointer of the dictionary, such as `/photos/0`. */
  readonly pointer: string;
}

// Twenty bytes are 27 characters and a pad; the last character carries four bits, so the rest must be zero.
const DIGEST = /^sha1-[A-Za-z0-9+/]{26}[AEIMQUYcgkosw048]=$/;

/** Whether a text is `sha1-` and the padded standard base64 of 20 bytes. */
export function isBlobDigest(text: string): boolean {
  return DIGEST.test(text);
}

/**
 * Every blob that a stored body refers to: `{"@type":"blob",…}` dictionaries at any depth, and entries of
 * `_attachments`. A dictionary without a proper digest is ordinary data. The same digest may occur more than once.
 * @param json a body in normal form
 */
export function findBlobs(json: string): BlobReference[] {
  const found: BlobReference[] = [];
  // Most documents refer to no blob; then a look at the text is all it costs. Searches start with a rare character.
  if (!json.includes('@type":"blob"') && !json.includes('_attachments":')) return found;
  const body = JSON.parse(json) as unknown;
  collect(body, '', found);
  const attachments = isDictionary(body) ? body['_attachments'] : undefined;
  if (isDictionary(attachments))
    for (const [name, entry] of Object.entries(attachments)) {
      const pointer = `/_attachments/${escapePointer(name)}`;
      const reference = isDictionary(entry) && entry['@type'] !== 'blob' ? referenceIn(entry, pointer) : undefined;
      if (reference) found.push(reference);
    }
  return found;
}

/** The blob that a value is, undefined if it is anything else. */
export function readBlob(valueText: string): BlobReference | undefined {
  if (!isBlob(valueText)) return undefined;
  return referenceIn(JSON.parse(valueText) as Record<string, unknown>, '');
}

/**
 * Whether a value is a blob dictionary with a proper digest.
 * @param valueText a value in normal form
 */
export function isBlob(valueText: string): boolean {
  if (!valueText.startsWith('{') || !valueText.includes('"@type":"blob"')) return false;
  const value = JSON.parse(valueText) as Record<string, unknown>;
  return value['@type'] === 'blob' && referenceIn(value, '') !== undefined;
}

/** The dictionary that stands for a blob in a document, as JSON text. */
export function blobDictionary(blob: { digest: string; length: number; contentType?: string }): string {
  const { digest, length, contentType } = blob;
  return JSON.stringify({ '@type': 'blob', ...(contentType && { content_type: contentType }), digest, length });
}

// Types that a browser renders or runs with the rights of the page's origin.
const ACTIVE_CONTENT =
  /^(?:text\/(?:html|xml|xsl|javascript|ecmascript|vbscript)|multipart\/.*|.*[/+]xml|.*[/-](?:javascript|ecmascript)|.*xhtml.*|image\/svg.*|application\/(?:pdf|x-shockwave-flash|xslt?))$/;

/**
 * Whether browsers must save content of this type instead of showing it (`Content-Disposition:
 * attachment`, docs/protocol/rest.md#properties). Without a proper type the browser guesses, so that counts as unsafe.
 */
export function isUnsafeInBrowser(contentType: string | undefined): boolean {
  const type = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
  // Of types with commas between, browsers take the last one.
  if (contentType?.includes(',')) return true;
  return !/^[^/\s]+\/[^/\s]+$/.test(type) || ACTIVE_CONTENT.test(type);
}

function collect(value: unknown, pointer: string, found: BlobReference[]): void {
  if (Array.isArray(value)) {
    value.forEach((item, index) => collect(item, `${pointer}/${index}`, found));
  } else if (isDictionary(value)) {
    const reference = value['@type'] === 'blob' ? referenceIn(value, pointer) : undefined;
    if (reference) found.push(reference);
    else for (const key of Object.keys(value)) collect(value[key], `${pointer}/${escapePointer(key)}`, found);
  }
}

/** The blob that a dictionary names, whether or not it is marked as one. */
function referenceIn(dictionary: Record<string, unknown>, pointer: string): BlobReference | undefined {
  const { digest, length, content_type: contentType } = dictionary;
  if (typeof digest !== 'string' || !isBlobDigest(digest)) return undefined;
  return {
    digest,
    ...(typeof length === 'number' && { length }),
    ...(typeof contentType === 'string' && { contentType }),
    pointer,
  };
}

export function isDictionary(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
