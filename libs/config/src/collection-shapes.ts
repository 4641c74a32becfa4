import { formatCollection, parseCollectionName, type CollectionName } from '@edgesync/document';
import { COLLECTION_NAME } from './names.js';
import { dictionary, either, INVALID, list, mapped, text, type Invalid, type Place, type Shape } from './shape.js';

export const collectionName: Shape<CollectionName> = mapped(text(COLLECTION_NAME), parseCollectionName);

/** A list of collection names without duplicates: `a` and `_default.a` are one. */
function collectionNames(names: readonly string[], place: Place): CollectionName[] | Invalid {
  const seen = new Map<string, CollectionName>();
  for (const name of names) {
    const parsed = parseCollectionName(name);
    const canonical = formatCollection(parsed);
    if (seen.has(canonical))
      return place.refuse(`names the collection ${canonical} twice`, 'Name each collection once.');
    seen.set(canonical, parsed);
  }
  return [...seen.values()];
}

export const collectionList: Shape<CollectionName[]> = mapped(list(text(COLLECTION_NAME)), collectionNames);

/** Collections as a list of names, or as an object of names and `settings`. */
export function collectionsWith<T>(settings: Shape<T>): Shape<(CollectionName & { settings?: T })[]> {
  const asObject = mapped(dictionary(settings, COLLECTION_NAME), (entries, place) => {
    const names = collectionNames([...entries.keys()], place);
    if (names === INVALID) return INVALID;
    const values = [...entries.values()];
    return names.map((name, index) => ({ ...name, settings: values[index]! }));
  });
  return either(collectionList, asObject);
}
