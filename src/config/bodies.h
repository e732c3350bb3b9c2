/* What a client that is turned away is told where the configuration says nothing else: bodies of the 403. */
#ifndef CONFIG_BODIES_H
#define CONFIG_BODIES_H

extern const char *const bodies_json;
extern const char *const bodies_html;

#endif
