/** The file in `Attachments` that holds a blob: `sha1-2jmj…/VlW=` → `2jmj…_VlW=.blob`. */
export function blobFileName(digest: string): string {
  return `${digest.slice('sha1-'.length).replaceAll('/', '_')}.blob`;
}
