/** Runs an action for the first of equal keys; remembers a limited number of them. */
export function firstOfEach(action: (key: string) => void, most = 1_000): (key: string) => void {
  const seen = new Set<string>();
  return (key) => {
    if (seen.has(key)) return;
    if (seen.size >= most) seen.clear();
    seen.add(key);
    action(key);
  };
}
