import { isObject, type Place } from './shape.js';

/** Refuses every use of a key named in `unsupported` within `value`, whatever else is right or wrong with it. */
export function refuseUnsupported(value: unknown, unsupported: readonly string[], place: Place): void {
  for (const path of unsupported) refuseUse(value, path.split('.'), place);
}

function refuseUse(value: unknown, [key, ...rest]: string[], place: Place): void {
  if (key === undefined) {
    if (switchesOn(value))
      place.refuse('is not supported yet', 'Remove the key: this version refuses it rather than ignore it.');
  } else if (isObject(value))
    for (const name of key === '*' ? Object.keys(value) : [key])
      if (Object.hasOwn(value, name)) refuseUse(value[name], rest, place.at(name));
}

function switchesOn(value: unknown): boolean {
  return value !== false && !(Array.isArray(value) && value.length === 0);
}
