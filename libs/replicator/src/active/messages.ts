import { EdgeError } from '@edgesync/errors';
import { Profile } from '@edgesync/sync-protocol';
import type { MessageSession, MessageTable } from '../jobs/message-table.js';
import type { ActiveCollection } from './active-collection.js';

/** Every message that a server may send to an active peer. Documents come only where the session pulls. */
export const ACTIVE_MESSAGES: MessageTable<MessageSession<ActiveCollection>, ActiveCollection> = {
  [Profile.changes]: { direction: 'push', handle: ({ puller }, request) => puller!.handleChanges(request) },
  [Profile.rev]: { direction: 'push', handle: ({ puller }, request) => puller!.handleRev(request) },
  [Profile.norev]: { direction: 'push', handle: ({ puller }, request) => puller!.handleNoRev(request) },
  [Profile.getAttachment]: { direction: 'pull', handle: ({ blobs }, request) => blobs.get(request) },
  [Profile.proveAttachment]: { direction: 'pull', handle: ({ blobs }, request) => blobs.prove(request) },
  [Profile.getCheckpoint]: {
    handleConnection: () => {
      throw new EdgeError('checkpoint.missing');
    },
  },
  [Profile.ping]: { handleConnection: (_session, request) => request.respond() },
};
