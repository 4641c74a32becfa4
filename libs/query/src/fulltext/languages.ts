/** Languages that full text knows, by code: the English name. In a file of its own: it is read without the stemmers. */
const LANGUAGES = {
  da: 'danish',
  de: 'german',
  en: 'english',
  es: 'spanish',
  fi: 'finnish',
  fr: 'french',
  hu: 'hungarian',
  it: 'italian',
  nl: 'dutch',
  no: 'norwegian',
  pt: 'portuguese',
  ro: 'romanian',
  ru: 'russian',
  sv: 'swedish',
  tr: 'turkish',
} as const;

export type LanguageCode = keyof typeof LANGUAGES;

export const LANGUAGE_CODES = Object.keys(LANGUAGES) as readonly LanguageCode[];

/** The code of a language by its code or English name; undefined for any other. */
export function languageCode(language: string): LanguageCode | undefined {
  const lower = language.toLowerCase();
  return LANGUAGE_CODES.find((code) => code === lower || LANGUAGES[code] === lower);
}
