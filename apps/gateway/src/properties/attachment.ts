import { getMember, isBlobDigest, type BlobReference } from '@edgesync/document';

/**
 * The blob that an entry of `_attachments` stands for (docs/protocol/blobs-and-deltas.md#attachments): content that
 * came with a document from elsewhere.
 * @param body properties in normal form
 */
export function findAttachment(body: string, name: string): BlobReference | undefined {
  const attachments = getMember(body, '_attachments');
  const entryText = attachments?.startsWith('{') ? getMember(attachments, name) : undefined;
  if (entryText === undefined || !entryText.startsWith('{')) return undefined;
  const { digest, content_type: contentType } = JSON.parse(entryText) as Record<string, unknown>;
  if (typeof digest !== 'string' || !isBlobDigest(digest)) return undefined;
  return { digest, ...(typeof contentType === 'string' && { contentType }), pointer: '' };
}
