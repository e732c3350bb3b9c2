/* Help with the names of fields of certificates. */
#ifndef CONFIG_FIELD_NAMES_H
#define CONFIG_FIELD_NAMES_H

enum { FIELD_NAMES_TEXT_SIZE = 128 };

/* Writes what may be meant by a name that no field has: "; did you mean "subject.cn"?", or a pointer to the list of fields.
 */
void field_names_suggest(const char *text, char suggestion[static FIELD_NAMES_TEXT_SIZE]);

#endif
