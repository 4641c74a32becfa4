import { EdgeError } from '@edgesync/errors';
import { Flag, Integer, QuotedText, Text, Texts, Unsupported } from '../parameters/fields.js';
import { ShowCvQuery } from '../parameters/show-cv.js';

/** Parameters of `_all_docs`: in the URL, or as members of a POST body (docs/protocol/rest.md). */
@Unsupported(
  'access',
  'att_encoding_info',
  'attachments',
  'channels',
  'conflicts',
  'endkey_docid',
  'end_key_doc_id',
  'group',
  'group_level',
  'queries',
  'reduce',
  'revs',
  'revs_info',
  'startkey_docid',
  'start_key_doc_id',
)
export class ListingParameters extends ShowCvQuery {
  @Flag('Reverse the order of the IDs.')
  descending = false;

  @Flag('Add the document to every row. Default: false for GET, true for POST.')
  include_docs?: boolean;

  @Texts('Only these documents, in this order. Those that do not exist are left out.')
  keys?: string[];

  @QuotedText('Only the document with this ID. As CouchDB writes it: JSON quotes are no part of the ID.')
  key?: string;

  @Integer('The most rows to return; 0 returns none.')
  limit?: number;

  @Integer('Rows to leave out at the start.')
  skip = 0;

  @Text('First ID, inclusive. When descending, the upper bound. Taken as it is: JSON quotes would be part of the ID.')
  startkey?: string;

  @Text('Last ID, inclusive. When descending, the lower bound. Taken as it is: JSON quotes would be part of the ID.')
  endkey?: string;

  @QuotedText('The same as `startkey`, as CouchDB writes it: JSON quotes are no part of the ID.')
  start_key?: string;

  @QuotedText('The same as `endkey`, as CouchDB writes it: JSON quotes are no part of the ID.')
  end_key?: string;

  @Flag('Whether the document with the last ID is listed.')
  inclusive_end = true;
}

/** A listing as a client requests it. */
export interface ListingRequest {
  readonly keys?: readonly string[];
  /** Inclusive; when descending, the upper bound. */
  readonly startKey?: string;
  readonly endKey?: string;
  readonly inclusiveEnd: boolean;
  readonly descending: boolean;
  readonly skip: number;
  readonly limit: number;
  readonly includeDocs: boolean;
  readonly showCv: boolean;
}

/**
 * @param includeDocs unless the parameters say otherwise
 * @throws EdgeError `request.parameter` for parameters that exclude each other
 */
export function readListingRequest(parameters: ListingParameters, includeDocs: boolean): ListingRequest {
  const { key, keys, limit, skip, descending } = parameters;
  const startKey = parameters.startkey ?? parameters.start_key;
  const endKey = parameters.endkey ?? parameters.end_key;
  if (key !== undefined && (keys ?? startKey ?? endKey) !== undefined)
    throw new EdgeError('request.parameter', 'key cannot be combined with keys, startkey or endkey');
  return {
    ...(keys && { keys }),
    ...((key ?? startKey) !== undefined && { startKey: key ?? startKey }),
    ...((key ?? endKey) !== undefined && { endKey: key ?? endKey }),
    inclusiveEnd: parameters.inclusive_end || key !== undefined,
    descending,
    skip,
    limit: limit ?? Infinity,
    includeDocs: parameters.include_docs ?? includeDocs,
    showCv: parameters.show_cv,
  };
}
