import { createHash } from 'node:crypto';

/** Shows the endpoints and schemas of the manual that hold every word of the search field. */
export const SEARCH_SCRIPT = `
const field = document.getElementById('search');
const hide = (node, words, text) => { node.hidden = !words.every((word) => text.toLowerCase().includes(word)); };
field.addEventListener('input', () => {
  const words = field.value.toLowerCase().split(' ').filter(Boolean);
  for (const section of document.querySelectorAll('section')) hide(section, words, section.textContent);
  for (const link of document.querySelectorAll('nav li a'))
    link.parentElement.hidden = document.getElementById(link.hash.slice(1)).hidden;
});
`;

/** Lets this script run, and no other; nothing is loaded from anywhere. */
export const MANUAL_POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  `script-src 'sha256-${createHash('sha256').update(SEARCH_SCRIPT).digest('base64')}'`,
  "frame-ancestors 'none'",
].join('; ');
