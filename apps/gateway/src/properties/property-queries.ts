import { Text } from '../parameters/fields.js';
import { ShowCvQuery } from '../parameters/show-cv.js';

export class ReadPropertyQuery {
  @Text('Revision to read instead of the current one, by rev-tree ID or version, if it is still stored.')
  rev?: string;
}

export class WritePropertyQuery extends ShowCvQuery {
  @Text('The current revision of the document. May also be given as If-Match.')
  rev?: string;
}
