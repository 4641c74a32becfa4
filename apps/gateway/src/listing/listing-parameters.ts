import { Flag, Integer, Text, Texts } from '../parameters/parameter.js';
import { ShowCvQuery } from '../parameters/show-cv.js';

/** Parameters of `_all_docs`: in the URL, or as members of a POST body (ref 6.6). */
export class ListingParameters extends ShowCvQuery {
  @Flag('Reverse the order of the IDs.')
  descending = false;

  @Flag('Add the document to every row. Default: false for GET, true for POST.')
  include_docs?: boolean;

  @Texts('Only these documents, in this order. Those that do not exist are left out.')
  keys?: string[];

  @Integer('The most rows to return. 0 means 1.')
  limit?: number;

  @Integer('Rows to leave out at the start.')
  skip = 0;

  @Text('First ID, inclusive. When descending, the upper bound.')
  startkey?: string;

  @Text('Last ID, inclusive. When descending, the lower bound.')
  endkey?: string;
}
