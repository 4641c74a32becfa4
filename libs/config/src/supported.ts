/**
 * Keys whose feature does not exist yet. A file that uses one is refused, so that nobody assumes something is switched
 * on that is not. `false` and an empty list switch nothing on and are fine. `*` stands for any one name.
 */
export const NOT_SUPPORTED_YET: readonly string[] = ['databases.*.password'];
