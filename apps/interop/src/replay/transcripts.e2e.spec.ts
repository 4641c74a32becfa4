import { describe, expect, it } from 'vitest';
import { loadTranscript, transcriptNames } from '@edgesync/test-kit';
import { deltaBases } from './known-bodies.js';
import { startDeployed } from '../testing/start-deployed.js';
import { replayTranscript } from './replay-transcript.js';

describe('the running server answers a real client as recorded', () => {
  it.each(transcriptNames())('%s', async (name) => {
    await expect(replayTranscript(loadTranscript(name), deltaBases(), startDeployed)).resolves.toBeUndefined();
  });
});
