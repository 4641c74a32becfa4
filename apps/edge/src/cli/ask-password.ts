import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/** The part of standard input that is needed: a terminal, or a pipe or file. */
export type PasswordInput = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/**
 * Asks for a password, on a terminal without showing what is typed. A pipe or a file gives it as its first line.
 * @param again asks for the same password once more; a pipe need not repeat it
 * @throws Error if the input ends before the password, the two differ, or Ctrl-C is typed
 */
export async function askPassword(
  input: PasswordInput,
  output: { write(text: string): unknown },
  question: string,
  again?: string,
): Promise<string> {
  const terminal = input.isTTY === true;
  // On a terminal, readline shows what is typed: nobody sees what it writes here.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal, historySize: 0 });
  let interrupted = false;
  lines.on('SIGINT', () => {
    interrupted = true;
    lines.close();
  });
  const typed = lines[Symbol.asyncIterator]();
  const ask = async (text: string): Promise<string | undefined> => {
    if (terminal) output.write(text);
    const { value, done } = await typed.next();
    if (terminal) output.write('\n');
    if (interrupted) throw new Error('interrupted');
    return done ? undefined : value;
  };
  try {
    const password = await ask(question);
    if (password === undefined) throw new Error('the input ended before the password');
    if (again === undefined) return password;
    const repeated = await ask(again);
    if (repeated === undefined && terminal) throw new Error('the input ended before the password');
    if (repeated !== undefined && repeated !== password) throw new Error('the two passwords differ');
    return password;
  } finally {
    lines.close();
  }
}
