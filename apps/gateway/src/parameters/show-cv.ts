import { Flag } from './fields.js';

/** For replies that name revisions. */
export class ShowCvQuery {
  @Flag('Show the version of a revision (`time@source`) too, as `_cv` in documents and `cv` elsewhere.')
  show_cv = false;
}
