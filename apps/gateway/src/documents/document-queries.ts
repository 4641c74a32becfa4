import { ExpiryQuery } from '../parameters/expiry.js';
import { Integer, Text, Texts, Unsupported } from '../parameters/fields.js';
import { ShowCvQuery } from '../parameters/show-cv.js';

@Unsupported('open_revs')
export class ReadDocumentQuery extends ShowCvQuery {
  @Text('Revision to read instead of the current one, by rev-tree ID or version, if it is still stored.')
  rev?: string;

  @Texts('Accepted and ignored.')
  revs_from?: string[];

  @Integer('Accepted and ignored.')
  revs_limit?: number;
}

export class WriteDocumentQuery extends ExpiryQuery {
  @Text('The current revision, which this write replaces. May also be given as If-Match or as _rev.')
  rev?: string;
}
